"""What stays on this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a host, as in an address or to bind to, is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
