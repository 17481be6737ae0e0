"""Enter the detectors that configs describe in the registry."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from genimage_core.detectors.custom.config import read_config
from genimage_core.detectors.custom.network import network_class
from genimage_core.detectors.registry import register_detector
from genimage_core.utils.errors import GenImageError, WeightsError

log = logging.getLogger(__name__)


def register_configs(folder: Path | None, known: Collection[str]) -> list[GenImageError]:
    """Enter every config of a folder in the registry.

    Args:
        folder: with configs, `*.yaml` or `*.yml`; None: there are none.
        known: names that are taken.

    Returns:
        What is wrong with the configs that were left out: one bad config must not stop the others.
    """
    problems: list[GenImageError] = []
    taken = set(known)
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml")) if folder else []
    for path in paths:
        try:
            config = read_config(path)
            if config.name in taken:
                raise WeightsError(
                    "another detector has this name.", hint="Choose another one.", source=config.name
                )
            register_detector(network_class(config, path))
            taken.add(config.name)
        except GenImageError as error:
            problems.append(error)
            log.warning("left out: %s", error)
    return problems
