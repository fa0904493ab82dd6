"""Runs from a configuration file: everything fitted, evaluated and written to one folder."""

from kgxfer.experiment.config import RunConfig, checked_config, load_config, packaged_config
from kgxfer.experiment.run import run

__all__ = ["RunConfig", "checked_config", "load_config", "packaged_config", "run"]
