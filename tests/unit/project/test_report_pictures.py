"""The pictures of reports: one for each host and chat, small, and shown in docs/reports.md."""

from __future__ import annotations

from amplify_jobs.reporting.hosts import HOSTS
from amplify_jobs.reporting.kinds import KINDS
from tools.report_pictures import CHATS, FOLDER, ROOT, pages


def test_each_page_has_what_is_sent_and_a_picture_in_the_docs() -> None:
    drawn, docs = pages(), (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    files = {file.name: file.stat().st_size for file in FOLDER.glob("report-*")}
    assert files.keys() == {f"report-{name}.webp" for name in drawn}
    assert max(files.values()) < 60_000
    for name, page in drawn.items():
        assert f"(pictures/report-{name}.webp)" in docs
        assert "ERESOLVE" in page
        assert "npm ci" in page


def test_each_kind_that_is_a_chat_has_a_picture() -> None:
    # The pictures of hosts have the first four. A bot shows what a webhook shows, and a program shows nothing.
    assert KINDS.keys() - CHATS.keys() - {"amazon_q"} == {
        "commit_status",
        "pull_request_comment",
        "deployment",
        "codecommit_comment",
        "slack_bot",
        "webhook",
    }
    assert {"amazon-q", "codecommit", *HOSTS} - {"forgejo"} <= pages().keys()
