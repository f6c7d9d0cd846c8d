// Looks for news while the page is visible, and puts them in place without moving what somebody reads or writes.
"use strict";
(() => {
  const body = document.body, token = body.dataset.token, sources = new Map();
  let etag = body.dataset.etag, timer, isBusy = false;
  const parts = (root) => [...root.querySelectorAll("[data-live]")];
  const length = (s) => s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min` : s < 86400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
  const two = (n) => String(n).padStart(2, "0");
  const duration = (s) => s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min ${two(s % 60)} s` : `${Math.floor(s / 3600)} h ${two(Math.floor(s % 3600 / 60))} min`;
  const tick = () => {
    for (const time of document.querySelectorAll("time[data-age], time[data-running]")) {
      const seconds = Math.trunc((Date.now() - new Date(time.dateTime)) / 1000);
      const text = "running" in time.dataset ? duration(Math.max(0, seconds)) : seconds < 0 ? `in ${length(-seconds)}` : seconds < 5 ? "just now" : `${length(seconds)} ago`;
      if (time.textContent !== text) time.textContent = text;
    }
  };
  const place = (part) => {
    const old = document.getElementById(part.id), source = part.outerHTML;
    if (!old || sources.get(part.id) === source || old.contains(document.activeElement) && document.activeElement.matches("input, select")) return;
    sources.set(part.id, source);
    const log = old.querySelector("[data-follow]"), top = log && log.scrollTop;
    const isAtEnd = log && log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const focus = old.contains(document.activeElement) ? [...old.querySelectorAll("a, button, summary, [tabindex]")].indexOf(document.activeElement) : -1;
    old.replaceWith(part);
    const news = part.querySelector("[data-follow]");
    if (news && log) news.scrollTop = isAtEnd ? news.scrollHeight : top;
    if (focus >= 0) [...part.querySelectorAll("a, button, summary, [tabindex]")][focus]?.focus({preventScroll: true});
  };
  const dress = () => {
    for (const field of document.querySelectorAll("input[name=token]")) field.value = token;
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
    tick();
  };
  const refresh = async () => {
    clearTimeout(timer);
    if (document.hidden || isBusy) return;
    isBusy = true;
    try {
      const answer = await fetch(location.pathname + location.search, {headers: {"If-None-Match": etag}});
      if (answer.status !== 304) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (page.body.dataset.etag) {
          etag = page.body.dataset.etag;
          body.dataset.refresh = page.body.dataset.refresh;
          if (parts(page).map((part) => part.id).join() !== parts(document).map((part) => part.id).join()) {
            document.getElementById("content").replaceWith(page.getElementById("content"));
          } else parts(page).forEach(place);
          if (document.title !== page.title) document.getElementById("news").textContent = document.title = page.title;
          dress();
        }
      }
      document.getElementById("fresh").textContent = `Read at ${new Date().toTimeString().slice(0, 8)}.`;
    } catch {
      document.getElementById("fresh").textContent = "The console does not answer; is its command still running?";
    }
    isBusy = false;
    timer = setTimeout(refresh, Number(body.dataset.refresh) * 1000);
  };
  document.addEventListener("visibilitychange", refresh);
  document.addEventListener("click", async ({target}) => {
    if (!target.matches("[data-copy]")) return;
    await navigator.clipboard.writeText(target.previousElementSibling.textContent);
    target.textContent = "Copied";
    setTimeout(() => { target.textContent = "Copy"; }, 2000);
  });
  for (const part of parts(document)) sources.set(part.id, part.outerHTML);
  dress();
  document.querySelector("[data-follow]:not(:has(.failing))")?.scrollTo(0, 1e9);
  document.querySelector("[data-follow] .failing")?.parentElement.parentElement.scrollTo(0, document.querySelector("[data-follow] .failing").offsetTop - 80);
  setInterval(tick, 1000);
  timer = setTimeout(refresh, Number(body.dataset.refresh) * 1000);
})();
