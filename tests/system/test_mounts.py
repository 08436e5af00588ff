"""Network file systems by the table of mounts."""

from __future__ import annotations

import pytest

from faceblind.system.mounts import network_file_system

TABLE = r"""
/dev/sda1 / ext4 rw 0 0
server:/data /data nfs4 rw 0 0
tmpfs /data/local tmpfs rw 0 0
//server/share /my\040share cifs rw 0 0
host:/ /remote fuse.sshfs rw 0 0
scratch /scratch lustre rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", ""), ("/data", "nfs4"), ("/data/out", "nfs4"), ("/data/local/out", ""),
        ("/my share/out", "cifs"), ("/remote/x", "fuse.sshfs"), ("/scratch/a", "lustre"),
        ("/database", ""),
    ],
)  # fmt: skip
def test_kinds(folder, kind):
    assert network_file_system(folder, TABLE) == kind


def test_this_machine_answers(tmp_path):
    assert isinstance(network_file_system(tmp_path), str)
