"""Collect pictures from the web: by words for a search engine, or from a list of addresses.

    python -m training.collect --words "people with face masks in the street" --out pictures/street
    python -m training.collect --urls addresses.txt --out pictures/listed

Each picture is fetched once, checked (it decodes to the end and is not too small) and compared with the
others, so that no copies stay, scaled or mirrored ones neither. `collected.jsonl` in the folder tells of
every address when it was asked and what came of it; `sources.csv` lists the pictures with their site, size
and sha256, and `training.dataset import pictures FOLDER` reads it. The same command again goes on where
a run was stopped or killed, and asks again where a server was out of reach, but not for a picture that
you deleted.

You answer for the right to use what you collect: see the terms and licences of the sites.
"""

import argparse
from collections import Counter
from pathlib import Path

from mask_detector.errors import MaskDetectorError
from training.collected import KEPT, Collection
from training.errors import TrainingError

_ENGINES = ("bing", "google", "baidu")


def collect(options: argparse.Namespace) -> Collection:
    """Fetch what the options ask for; what was fetched stays listed, whatever happens."""
    try:
        from training.crawl import ENGINES, Pace, crawl_urls, crawl_words
    except ImportError as error:
        raise TrainingError(f"collecting needs icrawler ({error}): pip install icrawler") from error
    urls = _addresses(options.urls) if options.urls else []
    collection = Collection(options.out)
    wants = {"collection": collection, "most": options.most, "smallest": options.smallest}
    wants |= {"pace": Pace(options.pause), "timeout": options.timeout, "query": ""}
    try:
        if urls:
            crawl_urls(urls, wants)
        else:
            crawl_words(options.words, ENGINES[options.engine], wants)
    finally:
        collection.list_sources()
    return collection


def _addresses(path: Path) -> list[str]:
    """Return the addresses in a file, one a line; empty lines and those that begin with # are left out."""
    try:
        lines = [line.strip() for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"cannot read the addresses in {path}: {error}") from error
    urls = [line for line in lines if line and not line.startswith("#")]
    if bad := [url for url in urls if not url.startswith(("http://", "https://"))]:
        raise TrainingError(f"{path}: '{bad[0]}' is no address: begin it with http:// or https://")
    if not urls:
        raise TrainingError(f"{path} holds no address: write one a line")
    return urls


def _summary(collection: Collection) -> str:
    latest = {line["url"]: line for line in collection.lines}.values()
    reasons = Counter(line["reason"].split(" (")[0] for line in latest if line["status"] != KEPT)
    lines = [f"  {count:5} {reason}" for reason, count in reasons.most_common(12)]
    return "\n".join([f"{collection.kept()} pictures kept, {sum(reasons.values())} not:", *lines])


def _options() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("training.collect", description=__doc__, formatter_class=form)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--words", help="what to search for")
    what.add_argument("--urls", type=Path, help="file with an address in each line")
    parser.add_argument("--out", type=Path, required=True, help="folder of the collection")
    parser.add_argument("--engine", default="bing", choices=_ENGINES, help="(%(default)s)")
    parser.add_argument("--most", type=int, default=1000, help="stop at so many pictures (%(default)s)")
    parser.add_argument("--smallest", type=int, default=64, help="shorter side in pixels (%(default)s)")
    parser.add_argument(
        "--pause", type=float, default=1.0, help="seconds between requests to a host (%(default)s)"
    )
    parser.add_argument(
        "--timeout", type=float, default=15.0, help="seconds to wait for a server (%(default)s)"
    )
    return parser


def main(argv: list[str] | None = None) -> None:
    parser = _options()
    options = parser.parse_args(argv)
    for name, least in (("most", 1), ("smallest", 1), ("pause", 0), ("timeout", 0.1)):
        if getattr(options, name) < least:
            parser.error(f"--{name} is {getattr(options, name)}: give {least} or more")
    try:
        print(_summary(collect(options)))
    except KeyboardInterrupt:
        parser.exit(130, "training.collect: stopped; the same command goes on\n")
    except MaskDetectorError as error:
        parser.exit(2, f"training.collect: {error}\n")


if __name__ == "__main__":
    main()
