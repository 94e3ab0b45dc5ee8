"""For mitmproxy: every name is this machine, so that nothing leaves it."""
import os

PORT = int(os.environ["LAB_PORT"])


def server_connect(data) -> None:
    """Connects to the lab's nginx, whatever was asked for; the name stays in SNI and Host."""
    data.server.address = ("127.0.0.1", PORT)
