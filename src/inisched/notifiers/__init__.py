"""Ways by which events reach people and programs; they run in a process of their own."""
