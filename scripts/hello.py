"""An example for executeFile: greets whom the arguments name, and says how long the name is."""

name = args.get("name", "world")
print(f"Hello, {name}!")
result = {"greeted": name, "length": len(name)}
