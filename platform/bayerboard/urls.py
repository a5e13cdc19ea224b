"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from bayerboard.challenges import views as challenges
from bayerboard.leaderboards import views as leaderboards
from bayerboard.methods import views as methods
from bayerboard.operations import views as operations
from bayerboard.submissions import views as submissions

TRACK = "challenges/<slug:challenge>/<slug:track>/"
PHASE = TRACK + "<slug:phase>/"

urlpatterns = [
    path("", challenges.home, name="home"),
    path("health/", operations.health, name="health"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("submissions/", submissions.submission_list, name="submissions"),
    path("submissions/<int:pk>/", submissions.submission_page, name="submission"),
    path("submissions/<int:pk>/status/", submissions.submission_status, name="submission-status"),
    path("submissions/<int:pk>/archive/", submissions.archive, name="submission-archive"),
    path("submissions/<int:pk>/cancel/", submissions.cancel, name="submission-cancel"),
    path("challenges/<slug:challenge>/", challenges.challenge, name="challenge"),
    path("join/<slug:challenge>/", challenges.join, name="join"),
    path(TRACK, challenges.track, name="track"),
    path(TRACK + "downloads/<int:pk>/", challenges.download_file, name="download"),
    path(TRACK + "baselines/", methods.baselines, name="baselines"),
    path(TRACK + "baselines/<slug:method>.zip", methods.method_zip, name="method-zip"),
    path(PHASE, leaderboards.board, name="board"),
    path(PHASE + "submit/", submissions.submit_page, name="submit"),
    path(PHASE + "inputs.zip", challenges.inputs, name="inputs"),
]
