"""Fetch pictures with icrawler: its search engines and threads, and our own care for what comes back."""

import io
import logging
import threading
import time
import warnings
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import requests
from icrawler import Crawler, Downloader
from icrawler.builtin import BaiduImageCrawler, BingImageCrawler, GoogleImageCrawler, UrlListCrawler
from PIL import Image

from training.collected import Collection
from training.errors import TrainingError
from training.likeness import Hashes, signs

ENGINES = {"bing": BingImageCrawler, "google": GoogleImageCrawler, "baidu": BaiduImageCrawler}

_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp"}
_SEARCHED = 1000  # addresses that an engine gives at most
_LARGEST = 40_000_000  # bytes of a file
_AGENT = "mask_detector-collect (pictures for training a face mask classifier)"
_OUT_OF_REACH = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
_PASSING = {408, 425, 429, 500, 502, 503, 504}  # states of a server that may be better tomorrow


class Pace:
    """Leaves a pause between two requests to the same host."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._free: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, url: str) -> None:
        host = urlsplit(url).netloc
        with self._lock:
            start = max(self._free.get(host, 0.0), time.monotonic())
            self._free[host] = start + self._pause
        time.sleep(max(0.0, start - time.monotonic()))


class _Refused(Exception):
    """An address gives no picture that is wanted."""


class PictureDownloader(Downloader):
    """Checks each picture before it is kept; icrawler calls `download` from its threads."""

    def __init__(
        self,
        *args: Any,
        collection: Collection,
        most: int,
        smallest: int,
        pace: Pace,
        timeout: float,
        query: str,
    ) -> None:
        super().__init__(*args)
        self.error: Exception | None = None
        self.asked = 0
        self._collection = collection
        self._most = most
        self._smallest = smallest
        self._pace = pace
        self._timeout = timeout
        self._query = {"query": query} if query else {}

    def download(self, task: dict[str, Any], *_: Any, **__: Any) -> None:
        """Fetch one address and note what came of it; a folder that cannot be written ends the run."""
        url = task["file_url"]
        self.asked += 1
        if self._collection.is_done(url) or self.error:
            return
        if self._collection.kept() >= self._most:
            self.signal.set(reach_max_num=True)
            return
        try:
            self._fetch(url)
        except Exception as error:  # a thread that died alone would lose its address in silence
            self.error = error
            self.signal.set(reach_max_num=True)

    def _fetch(self, url: str) -> None:
        try:
            self._pace.wait(url)
            content, final = self._content(url)
            suffix, hashes, (width, height) = _checked(content, self._smallest)
        except _Refused as error:
            self._collection.refuse(url, str(error), self._query)
        except _OUT_OF_REACH as error:
            self._collection.refuse(url, _plain(error, self._timeout), self._query, again=True)
        except (requests.RequestException, ValueError) as error:
            self._collection.refuse(url, f"no usable address ({error})", self._query)
        else:
            details = {"width": width, "height": height} | self._query
            details |= {"final_url": final} if final != url else {}
            self._collection.keep(url, content, suffix, hashes, details)

    def _content(self, url: str) -> tuple[bytes, str]:
        """Return what an address gives and where it was found in the end."""
        end = time.monotonic() + 6 * self._timeout
        with self.session.get(
            url, timeout=self._timeout, stream=True, headers={"User-Agent": _AGENT}
        ) as response:
            if response.status_code in _PASSING:
                raise requests.ConnectionError(f"server answers {response.status_code}")
            if response.status_code != 200:
                raise _Refused(f"server answers {response.status_code}")
            content = bytearray()
            for part in response.iter_content(65536):
                content += part
                if len(content) > _LARGEST:
                    raise _Refused(f"larger than {_LARGEST // 1_000_000} MB")
                if time.monotonic() > end:
                    raise requests.Timeout
            return bytes(content), response.url


def crawl_urls(urls: list[str], wants: dict[str, Any]) -> None:
    """Fetch a list of addresses into a collection; `wants` are the arguments of PictureDownloader."""
    fresh = [url for url in dict.fromkeys(urls) if not wants["collection"].is_done(url)]
    if fresh:
        _crawl(UrlListCrawler, wants, {"url_list": fresh})


def crawl_words(words: str, engine: type[Crawler], wants: dict[str, Any]) -> None:
    """Fetch what a search engine finds for words.

    Raises:
        TrainingError: the engine gave no address at all.
    """
    search = {"keyword": words, "offset": 0, "max_num": min(wants["most"], _SEARCHED)}
    if not _crawl(engine, wants | {"query": words}, search):
        raise TrainingError(
            f"the search engine gave no address for '{words}': it cannot be reached, or its pages have "
            "changed; try another --engine, or give addresses with --urls"
        )


def _crawl(kind: type[Crawler], wants: dict[str, Any], search: dict[str, Any]) -> int:
    """Run a crawler of icrawler; return how many addresses it came by."""
    crawler = kind(
        downloader_cls=PictureDownloader,
        downloader_threads=4,
        log_level=logging.CRITICAL,
        extra_downloader_args=wants,
    )
    crawler.downloader.in_queue.maxsize = 0  # a full queue would make icrawler's parsers lose addresses
    Crawler.crawl(crawler, search, {"queue_timeout": 0.5}, {"max_num": 0, "queue_timeout": 0.5})
    if crawler.downloader.error:
        raise crawler.downloader.error
    return crawler.downloader.asked


def _checked(content: bytes, smallest: int) -> tuple[str, Hashes, tuple[int, int]]:
    """Return the suffix, hash and size of a picture that decodes to its end."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content)) as picture:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            kind, size = picture.format, picture.size
            if kind not in _SUFFIXES:  # before it is decoded: PostScript is a program
                raise _Refused(f"a {kind} picture; wanted are {', '.join(_SUFFIXES)}")
            picture.load()
    except _Refused:
        raise
    except Image.UnidentifiedImageError:
        raise _Refused("not a picture") from None
    except Exception as error:  # Pillow's readers raise anything at bytes that are made for it
        raise _Refused(f"damaged picture ({error})") from error
    if min(size) < smallest:
        raise _Refused(f"only {size[0]} x {size[1]} pixels")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise _Refused("picture that OpenCV cannot read")
    return _SUFFIXES[kind], signs(image), size


def _plain(error: Exception, timeout: float) -> str:
    if isinstance(error, requests.Timeout):
        return f"no answer within {timeout:g} s"
    text = str(error)
    return text if text.startswith("server") else f"no connection ({type(error).__name__})"
