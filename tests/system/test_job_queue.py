"""Which jobs of a batch system are alive."""

from __future__ import annotations

from faceblind.system.job_queue import alive


def test_which_jobs_are_alive(batch):
    batch(
        qstat="""echo 'Job id Name User Time Use S Queue'
echo '12.server faceblind me 0 Q batch'
echo '13.server faceblind me 0 C batch'
echo 'qstat: Unknown Job Id 14.server' >&2; exit 153
"""
    )
    assert alive("pbs", {"12", "13", "14"}) == {"12"}
    assert alive("pbs", set()) == set()
    # A server that does not answer has not lost the jobs.
    batch(qstat="echo 'cannot connect to server' >&2; exit 1\n")
    assert alive("pbs", {"12", "13"}) == {"12", "13"}
