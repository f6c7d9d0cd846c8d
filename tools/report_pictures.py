"""Makes the pictures of reports in docs/pictures: what send_report sends, drawn as each host and chat lays it out.

The contents are the payloads of `amplify_jobs.reporting`, for one job that failed. The frames around them are simple.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from amplify_jobs.events.codecommit import SOURCE as CODECOMMIT
from amplify_jobs.events.webhooks import PROVIDERS
from amplify_jobs.reporting.call import AwsCall
from amplify_jobs.reporting.destination import Destination, destinations
from amplify_jobs.reporting.hosts import HOSTS
from amplify_jobs.reporting.kinds import kind_of
from amplify_jobs.reporting.report import Report
from amplify_jobs.routing.routes import Routes
from tests.support.browser import PROGRAMS, Tab, chromium, open_browser

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
SECRET = "/amplify-jobs/secrets/pictures"  # noqa: S105 -- a name
# What a page of a host or chat shows of a text without a tag.
MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True})
RED = "#cf222e"
CHATS = {
    "slack": "Slack",
    "teams": "Microsoft Teams",
    "discord": "Discord",
    "google_chat": "Google Chat",
    "mattermost": "Mattermost",
}
# Not each machine has a font of them.
_SIGN = "<span class=sign>✕</span>"
_SLACK_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]+)>")
STYLE = """
body { margin: 0; padding: 14px; background: #fff; color: #1f2328; font: 14px/1.45 system-ui, sans-serif; width: 652px }
header { color: #59636e; font-size: 12px; margin-bottom: 8px }
section { border: 1px solid #d1d9e0; border-radius: 6px; padding: 10px 14px; margin-bottom: 8px }
.status { display: flex; gap: 8px; align-items: baseline } .status b { white-space: nowrap }
.status span:nth-of-type(2) { color: #59636e; flex: 1 }
a { color: #0969da; text-decoration: none } h3 { margin: 0 0 6px; font-size: 16px } p, ul { margin: 4px 0 }
ul { padding-left: 20px } pre { background: #f6f8fa; padding: 8px; margin: 4px 0; font-size: 12px }
.sign { background: #cf222e; color: #fff; padding: 0 4px; border-radius: 3px; font-size: 12px }
.field { margin: 3px 0 } .label { font-weight: 600 } .button { border: 1px solid #d1d9e0; padding: 3px 10px;
border-radius: 4px; display: inline-block; margin: 6px 6px 0 0; color: #0969da } .bar { border-left: 4px solid #cf222e }
"""


def announcement() -> Report:
    """The end of a job of a pull request: the example's, with the cause of its failure."""
    event = json.loads((ROOT / "events" / "plan_reports.json").read_text(encoding="utf-8"))
    detail = event["detail"]
    detail |= {"requestId": "web-3f6c2e9a1d7b4c5e", "route": "web", "reason": "npm ci exited with code 1"}
    detail["cause"] |= {
        "source": "host",
        "kind": "pull_request",
        "repository": "acme/web",
        "ref": "refs/heads/cart",
        "branch": "main",
        "commit": "4be1c9d07a3f5e2b8c6d1a9f0e7b3c5d2a8f6e4b",
        "message": "Show the cart in the header",
        "author": "Ada Lovelace",
        "pullRequest": 7,
    }
    detail["failure"] = {
        "cause": "peer-dependency-conflict",
        "summary": "A package can't be installed: ERESOLVE react@19.0.0",
        "advice": "Align the versions of react and of the packages that need it, or run npm ci --legacy-peer-deps.",
        "phase": "preBuild",
        "command": "npm ci",
        "excerpt": "npm error code ERESOLVE\nnpm error ERESOLVE could not resolve\nnpm error While resolving: web@1.0",
    }
    return Report.from_event(event["detail-type"], detail)


def destination(provider: str, target: Mapping[str, Any]) -> Destination:
    sources = {"host": {"provider": provider, "secrets": [SECRET]}}
    return destinations(Routes.model_validate({"sources": sources, "routes": {}, "reports": {"target": target}}))[0]


def payload(where: Destination, report: Report, remote: str | None = None) -> Any:
    """The content of the call that delivers a report."""
    call = kind_of(where).call(where, report, {SECRET: "https://chat.example/hook"}, remote)
    if isinstance(call, AwsCall):
        message = call.parameters.get("Message")
        return call.parameters if message is None else json.loads(message)
    return json.loads(call.body or b"null")


def host_page(provider: str, report: Report) -> str:
    """The status and the comment, as a pull request of a host shows them."""
    host = {"source": "host", "api": "https://git.example.com/api", "token": SECRET}
    status = payload(destination(provider, {"kind": "commit_status", **host}), report)
    comment = payload(destination(provider, {"kind": "pull_request_comment", **host}), report, "new")
    context = status.get("context") or status["name"]
    name = f"{context['genre']}/{context['name']}" if isinstance(context, dict) else context
    link = next(status[member] for member in ("target_url", "targetUrl", "url") if member in status)
    row = (
        f'<section class=status><span style="color:{RED}">●</span><b>{escape(name)}</b>'
        f"<span>{escape(status['description'])}</span><i>{escape(status['state'])}</i>"
        f'<a href="{escape(link)}">Details</a></section>'
    )
    return f"{row}<section>{MARKDOWN.render(_comment_text(comment))}</section>"


def _comment_text(content: Mapping[str, Any]) -> str:
    first = content["comments"][0] if "comments" in content else content
    text = first.get("body") or first.get("text") or first.get("content")
    return str(text["raw"] if isinstance(text, dict) else text)


def codecommit_page(report: Report) -> str:
    """The comment, as CodeCommit's console shows it."""
    cause = report.cause.model_copy(update={"source": CODECOMMIT})
    codecommit_report = replace(report, detail=report.detail.model_copy(update={"cause": cause}))
    remote = json.dumps({"step": "create", "before": "7" * 40, "after": cause.commit})
    comment = payload(destination("github", {"kind": "codecommit_comment"}), codecommit_report, remote)
    return f"<section>{MARKDOWN.render(comment['content'])}</section>"


def _slack(content: Any) -> str:
    def drawn(text: str) -> str:
        text = _SLACK_LINK.sub(lambda link: _anchor(link[1], link[2]), text).replace(":x:", "❌")
        return re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", text).replace("\n", "<br>")

    return "".join(f"<p>{drawn(block['text']['text'])}</p>" for block in content["blocks"])


def _teams(content: Any) -> str:
    card = content["attachments"][0]["content"]
    lines = ("".join(map(_teams_run, block["inlines"])) for block in card["body"])
    buttons = "".join(f"<span class=button>{escape(action['title'])}</span>" for action in card["actions"])
    return "".join(f"<div class=field>{line}</div>" for line in lines) + buttons


def _teams_run(run: Mapping[str, str]) -> str:
    colour = RED if run.get("color") == "attention" else "inherit"
    weight = run.get("weight", "normal").replace("bolder", "600")
    return f'<span style="color:{colour};font-weight:{weight}">{escape(run["text"])}</span>'


def _discord(content: Any) -> str:
    (embed,) = content["embeds"]
    fields = "".join(
        f"<div class=field><div class=label>{escape(field['name'])}</div>{MARKDOWN.renderInline(field['value'])}</div>"
        for field in embed["fields"]
    )
    links = MARKDOWN.renderInline(embed["description"])
    return f"<h3>{escape(embed['title'])}</h3><p>{links}</p>{fields}"


def _google_chat(content: Any) -> str:
    card = content["cardsV2"][0]["card"]
    drawn = ""
    for widget in card["sections"][0]["widgets"]:
        if (text := widget.get("decoratedText")) is not None:
            label = f"<header style='margin:0'>{escape(text['topLabel'])}</header>"
            drawn += f"<div class=field>{label}{text['text']}</div>"
        else:
            buttons = widget["buttonList"]["buttons"]
            drawn += "".join(f"<span class=button>{escape(button['text'])}</span>" for button in buttons)
    return f"<h3>{escape(card['header']['title'])}</h3>{drawn}"


def _mattermost(content: Any) -> str:
    return str(MARKDOWN.render(content["text"]))


def _amazon_q(content: Any) -> str:
    shown = content["content"]
    return f"<h3>{escape(shown['title'])}</h3>{MARKDOWN.render(shown['description'])}"


_DRAWN: Mapping[str, Callable[[Any], str]] = {
    "slack": _slack,
    "teams": _teams,
    "discord": _discord,
    "google_chat": _google_chat,
    "mattermost": _mattermost,
}


def _anchor(address: str, label: str) -> str:
    return f'<a href="{escape(address)}">{label}</a>'


def pages() -> dict[str, str]:
    """The name of each picture, and its page."""
    report = announcement()
    pages_by_name = {}
    for provider in HOSTS:
        # Forgejo's is Gitea's.
        if provider != "forgejo":
            pages_by_name[provider] = (PROVIDERS[provider].title, host_page(provider, report))
    for chat, title in CHATS.items():
        content = payload(destination("github", {"kind": chat, "webhook": SECRET}), report)
        pages_by_name[chat.replace("_", "-")] = (title, f"<section class=bar>{_DRAWN[chat](content)}</section>")
    pages_by_name["codecommit"] = ("CodeCommit", codecommit_page(report))
    chat = payload(destination("github", {"kind": "amazon_q"}), report)
    pages_by_name["amazon-q"] = (
        "Amazon Q Developer in Slack or Teams",
        f"<section class=bar>{_amazon_q(chat)}</section>",
    )
    return {
        name: f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><header>{escape(title)}</header>"
        + page.replace("❌", _SIGN)
        for name, (title, page) in pages_by_name.items()
    }


def main() -> int:
    """Make all pictures; the exit code is 1 without a Chromium."""
    program = chromium()
    if program is None:
        print(f"there is no {', '.join(PROGRAMS)} on the PATH; install Debian's package chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, open_browser(program) as browser, browser.tab() as tab:
        for name, page in pages().items():
            source = Path(folder) / f"{name}.html"
            source.write_text(page, encoding="utf-8")
            _take(tab, source.as_uri(), FOLDER / f"report-{name}.webp")
    return 0


def _take(tab: Tab, address: str, file: Path) -> None:
    tab.show_as(width=680, height=100, scale=1.3)
    tab.goto(address)
    tab.show_as(width=680, height=int(tab.evaluate("document.documentElement.scrollHeight")), scale=1.3)
    tab.screenshot(file, is_whole=False)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
