"""A Django project as small as can be: one app with one command, a database in a file."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

SETTINGS = """\
    from pathlib import Path

    SECRET_KEY = "none"
    INSTALLED_APPS = ["django.contrib.contenttypes", "shop"]
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": Path(__file__).parent.parent / "shop.sqlite3",
        }
    }
    TIME_ZONE = "Asia/Tokyo"
    """

COMMAND = """\
    import os
    import sys

    from django.core.management.base import BaseCommand, CommandError
    from django.db import connection

    with open("imports", "a") as file:
        file.write("once\\n")


    class Command(BaseCommand):
        help = "Send the report.\\n\\nTo everybody."

        def add_arguments(self, parser):
            parser.add_argument("title", nargs="?")
            parser.add_argument("--to", required=True)
            parser.add_argument("--copies", type=int, default=1)
            parser.add_argument("--end", default="")

        def handle(self, *args, title, to, copies, end, **options):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 6 * 7")
                found = cursor.fetchone()
            self.stdout.write(f"{title} to {to}: {found[0]}")
            match end:
                case "refused":
                    raise CommandError("no paper\\nand no ink", returncode=3)
                case "exit":
                    sys.exit(4)
                case "error":
                    raise LookupError("no such shop")
                case "parent":
                    self.stdout.write(str(os.getppid()))
    """


def make_project(folder: Path) -> None:
    """Write it below `folder`, as the package `shop`."""
    commands = folder / "shop" / "management" / "commands"
    commands.mkdir(parents=True)
    for package in (commands, commands.parent, commands.parent.parent):
        (package / "__init__.py").touch()
    (folder / "shop" / "settings.py").write_text(dedent(SETTINGS))
    (commands / "send_report.py").write_text(dedent(COMMAND))


def imports(folder: Path) -> int:
    """How often the command's module has been imported."""
    file = folder / "imports"
    return len(file.read_text().splitlines()) if file.exists() else 0
