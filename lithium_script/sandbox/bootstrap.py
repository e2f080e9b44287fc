"""What a fork server's interpreter is started with: loads this package by its place, not by a search path.

The interpreter may be an environment's, which must not see the service's own packages.
"""

import importlib.util
import json
import os
import sys


def _load(name: str, folder: str) -> None:
    spec = importlib.util.spec_from_file_location(
        name, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {name} from {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    _load("lithium_script", os.path.dirname(here))
    from lithium_script.sandbox import confinement, forkserver

    if sys.argv[1] == "try":
        confinement.attempt(sys.argv[2])
    else:
        forkserver.main(int(sys.argv[1]), json.loads(sys.argv[2]))
