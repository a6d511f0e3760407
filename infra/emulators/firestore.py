"""The official Firestore emulator, started from its jar: its own wrapper leaves Java behind."""

import functools
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.children import die_with_parent
from infra.local.vendor_process import free_port

_JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
_JAVA = ("java", "-Duser.language=en", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1g")
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


class NoEmulator(Exception):
    """Java, gcloud or the emulator's jar is not on this machine."""


@functools.cache
def find_jar() -> Path:
    """The emulator's jar, as gcloud knows it. Raises `NoEmulator`."""
    if shutil.which("java") is None or shutil.which("gcloud") is None:
        raise NoEmulator("the Firestore emulator needs java and gcloud")
    asked = ["gcloud", "info", "--format=value(installation.sdk_root)"]
    root = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    jar = Path(root) / _JAR
    if not jar.exists():
        raise NoEmulator("gcloud has no Firestore emulator: gcloud components install it")
    return jar


@contextmanager
def firestore_emulator(port: int | None = None) -> Iterator[str]:
    """A running emulator; yields its host and port."""
    port = port or free_port()
    place = ["--host", "127.0.0.1", "--port", str(port)]
    command = [*_JAVA, "-cp", str(find_jar()), _MAIN, *place]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command,
        stdout=quiet,
        stderr=quiet,
        preexec_fn=die_with_parent,  # noqa: PLW1509  # one call into libc, before any thread
    ) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/", process)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the Firestore emulator ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1.0):  # noqa: S310  # our own loopback address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("the Firestore emulator did not start")
