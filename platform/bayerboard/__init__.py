"""The Bayerboard site: challenges, tracks, submissions, leaderboards."""
