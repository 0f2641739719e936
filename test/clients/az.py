"""Azure CLI, with api-versions that its SDK has.

Debian packages Azure CLI and Azure's SDK for Python apart from each other, and
the CLI's profile names versions that the packaged SDK lacks: whatever needs one
of them ends with a traceback. Each is replaced by the newest older one, or the
oldest where there is none. An installation that lacks nothing is left as it is.

"az.py versions" lists the replacements.
"""

import importlib.util
import os
import re
import sys

from azure.cli.core.profiles import _shared


def installed(package):
    """The versions that a package of the SDK has, oldest first; previews apart."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return []
    names = [name for path in spec.submodule_search_locations for name in os.listdir(path)]
    found = [re.fullmatch(r"v(\d{4})_(\d\d)_(\d\d)(_preview)?", name) for name in names]
    return sorted("-".join(m.groups()[:3]) for m in found if m and not m.group(4))


def instead(version, have):
    """The version to take where the SDK has these."""
    if not have or version is None or version in have or "preview" in version:
        return version
    return max((v for v in have if v < version), default=have[0])


def has(package, version):
    return importlib.util.find_spec("{}.v{}".format(package, version.replace("-", "_"))) is not None


def repair(profile):
    replaced = []
    for resource, wanted in profile.items():
        if not isinstance(resource, _shared.ResourceType):
            continue
        package = resource.import_prefix
        try:
            have = installed(package)
        except ImportError:
            continue
        if isinstance(wanted, _shared.SDKProfile):
            for group, version in wanted.profile.items():
                new = instead(version, have)
                if new != version:
                    replaced.append((package, group or "*", version, new))
                    wanted.profile[group] = new
        elif isinstance(wanted, str):
            new = instead(wanted, have)
            if new != wanted:
                replaced.append((package, "*", wanted, new))
                profile[resource] = new
    return replaced


replaced = repair(_shared.AZURE_API_PROFILES["latest"])
if sys.argv[1:] == ["versions"]:
    for line in replaced:
        print(*line)
    sys.exit(0)

from azure.cli import __main__  # noqa: E402,F401  runs the command
