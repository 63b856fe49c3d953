"""trailguard proves that CloudFormation templates record and keep an audit trail.

`scan`, `Settings` and `Report` are the documented Python API. They are imported when they are asked for, so that the
command line starts fast.
"""

__version__ = "0.1.0"
__all__ = ["Report", "Settings", "__version__", "scan"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trailguard.findings import Report
    from trailguard.scanning import scan
    from trailguard.settings.settings import Settings
else:
    _HOMES = {"Report": "findings", "Settings": "settings.settings", "scan": "scanning"}

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
