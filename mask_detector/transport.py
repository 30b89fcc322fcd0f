"""Fast DDS settings that let large images arrive; see config/fastdds.xml for why."""

import os

from mask_detector.model_store import share_folder

_PROFILES = "FASTRTPS_DEFAULT_PROFILES_FILE"
_OWN_CHOICES = (_PROFILES, "FASTDDS_BUILTIN_TRANSPORTS")


def transport_environment() -> dict[str, str]:
    """Return the environment variables to set; none where the user has chosen transports already.

    Other middleware than Fast DDS does not read them.
    """
    if any(os.environ.get(name) for name in _OWN_CHOICES):
        return {}
    return {_PROFILES: str(share_folder() / "config" / "fastdds.xml")}
