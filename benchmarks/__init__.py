"""How fast inisched is beside its peers and bare loops: `python3 dev.py bench`."""
