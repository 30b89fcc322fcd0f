"""The command line options that the steps share, and how they end."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mask_detector.errors import MaskDetectorError
from training.config import DEFAULT_FILE, Config, load_config
from training.errors import TrainingError


def step_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser that knows --run, with the module's docstring as its help."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=form)
    parser.add_argument("--run", type=Path, default=Path("runs/classifier"), help="run folder (%(default)s)")
    return parser


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the settings of a new run."""
    parser.add_argument("--config", type=Path, help=f"settings ({DEFAULT_FILE})")
    parser.add_argument("--data", help="folder that holds the data, in place of data.root")
    parser.add_argument("--weights", help="backbone weights: a Keras 3 weights file, imagenet, or none")


def settings_from(options: argparse.Namespace) -> Config:
    """Return the settings that the command line names."""
    replaced = {"data__root": options.data, "model__weights": options.weights and [options.weights]}
    file = options.config or DEFAULT_FILE
    return load_config(file, **{key: value for key, value in replaced.items() if value})


def settings_for(options: argparse.Namespace) -> Config:
    """Return the settings of the run that is there, prepared or trained, or those of a new one."""
    trained = (options.run / "checkpoint.npz").is_file()
    named = options.config or options.weights or not (options.run / "config.yaml").is_file()
    return settings_from(options) if named and not trained else settings_kept(options)


def settings_kept(options: argparse.Namespace) -> Config:
    """Return the settings of the run in the run folder; its data may lie elsewhere now."""
    require_no_other(options, "config", "weights")
    config = settings_of(options.run)
    return replace(config, data=replace(config.data, root=options.data)) if options.data else config


def require_no_other(options: argparse.Namespace, *names: str) -> None:
    """Raise TrainingError where the command line names settings for a run that has its own."""
    if given := [f"--{name}" for name in names if getattr(options, name)]:
        raise TrainingError(
            f"{options.run} keeps its own settings: leave out {' and '.join(given)}, or name another --run"
        )


def settings_of(run: Path) -> Config:
    """Return the settings that the run was trained with."""
    return load_config(run / "config.yaml")


@contextmanager
def told(parser: argparse.ArgumentParser) -> Iterator[None]:
    """End a step with one line where it fails for a reason that its user can mend, or is stopped."""
    try:
        yield
    except MaskDetectorError as error:
        parser.exit(2, f"{error}\n")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        parser.exit(2, f"{where}{error.strerror or error}; what was finished is kept\n")
    except KeyboardInterrupt:
        parser.exit(130, "stopped; what was finished is kept\n")
