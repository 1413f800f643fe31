"""How property tests run: no time limit on a case, for machines differ."""

from hypothesis import HealthCheck, settings

settings.register_profile("repo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repo")
