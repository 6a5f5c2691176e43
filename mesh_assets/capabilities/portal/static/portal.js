// What the pages do without: a copy button, how long ago, and filtering a page that no server answers for.
"use strict";

function copyButtons() {
  if (!navigator.clipboard) return;
  for (const box of document.querySelectorAll(".code:has(> .copy)")) {
    const button = box.querySelector(".copy");
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(box.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
}

function ago(seconds) {
  for (const [size, word] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${word}${count === 1 ? "" : "s"} ago`;
  }
  return "just now";
}

function howLongAgo() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (seconds >= 0) time.title = ago(seconds);
  }
}

function filter() {
  const form = document.querySelector("form[data-filter]");
  if (!form) return;
  form.hidden = false;
  form.querySelector("button").hidden = true;
  form.addEventListener("submit", (event) => event.preventDefault());
  const items = [...document.querySelectorAll("[data-text]")];
  form.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of items) item.hidden = !words.every((word) => item.dataset.text.includes(word));
  });
}

// "/" goes to the search field, as people know it from elsewhere.
function slash() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "")) return;
    const field = document.querySelector("input[type=search]");
    if (field && field.offsetParent !== null) { event.preventDefault(); field.focus(); }
  });
}

copyButtons();
howLongAgo();
filter();
slash();
