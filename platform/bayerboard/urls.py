"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from bayerboard.api import check, uploads
from bayerboard.operations import views as operations
from bayerboard.pages import baselines, board, challenges, downloads, notices, submissions, submit

TRACK = "challenges/<slug:challenge>/<slug:track>/"
PHASE = TRACK + "<slug:phase>/"

urlpatterns = [
    path("", challenges.home, name="home"),
    path("health/", operations.health, name="health"),
    path("ready/", operations.ready, name="ready"),
    path("metrics", operations.metrics, name="metrics"),
    path("accounts/notices/", notices.notice_settings, name="notice-settings"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("notices/", notices.notice_list, name="notices"),
    path("notices/bell/", notices.bell, name="notice-bell"),
    path("submissions/", submissions.submission_list, name="submissions"),
    path("submissions/<int:pk>/", submissions.submission_page, name="submission"),
    path("submissions/<int:pk>/status/", submissions.submission_status, name="submission-status"),
    path("submissions/<int:pk>/archive/", submissions.archive, name="submission-archive"),
    path("submissions/<int:pk>/cancel/", submissions.cancel, name="submission-cancel"),
    path("submissions/<int:pk>/delete/", submissions.delete, name="submission-delete"),
    path("uploads/<uuid:pk>/", uploads.upload_view, name="upload"),
    path("uploads/<uuid:pk>/parts/", uploads.parts_view, name="upload-parts"),
    path("uploads/<uuid:pk>/parts/<int:number>/", uploads.sign_view, name="upload-part"),
    path("uploads/<uuid:pk>/parts/<int:number>/data/", uploads.part_data_view, name="upload-part-data"),
    path("uploads/<uuid:pk>/complete/", uploads.complete_view, name="upload-complete"),
    path("challenges/<slug:challenge>/", challenges.challenge, name="challenge"),
    path("join/<slug:challenge>/", challenges.join, name="join"),
    path(TRACK, challenges.track, name="track"),
    path(TRACK + "downloads/<int:pk>/", downloads.download_file, name="download"),
    path(TRACK + "baselines/", baselines.baselines, name="baselines"),
    path(TRACK + "baselines/<slug:method>.zip", baselines.method_zip, name="method-zip"),
    path(PHASE, board.board, name="board"),
    path(PHASE + "submit/", submit.submit_page, name="submit"),
    path(PHASE + "check.json", check.check_facts, name="check"),
    path(PHASE + "check/readme/", check.check_readme, name="check-readme"),
    path(PHASE + "uploads/", uploads.open_view, name="upload-open"),
    path(PHASE + "inputs.zip", downloads.inputs, name="inputs"),
]
