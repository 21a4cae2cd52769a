// Comfort only: each page does its work without this file.
"use strict";

// Copies the element that the button names, and says so in the button and in the status line. The
// clipboard API needs a secure context; the fallback copies a selection.
for (const button of document.querySelectorAll("[data-copy]")) {
  const code = document.getElementById(button.dataset.copy);
  const word = button.querySelector("[data-copy-word]");
  const status = document.querySelector("[data-copy-status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    let copied = true;
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      copied = document.execCommand("copy");
    }
    button.classList.toggle("done", copied);
    word.textContent = copied ? "Copied" : "Selected";
    // Cleared first, so that screen readers announce a second press.
    status.textContent = "";
    requestAnimationFrame(() => {
      status.textContent = copied ? "Copied. Paste it where it will be used." : "Selected. Copy it with your keyboard.";
    });
    setTimeout(() => {
      button.classList.remove("done");
      word.textContent = "Copy";
    }, 2000);
  });
}

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  const word = button.querySelector("[data-reveal-word]");
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    word.textContent = visible ? "Hide" : "Show";
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Submits the field as a password, so that the browser does not store or suggest its value.
  input.form.addEventListener("submit", () => show(false));
}

// A menu closes on Escape and on a click beside it.
const close = (menu) => menu.removeAttribute("open");
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) close(menu);
});
addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(".menu[open]");
  if (!menu) return;
  close(menu);
  menu.querySelector("summary").focus();
});

// The current tab is in sight on small screens.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Shows the scopes that match every word; checked scopes stay visible.
for (const search of document.querySelectorAll("[data-search]")) {
  const input = search.querySelector("input");
  const status = search.querySelector("[role=status]");
  const groups = search.parentElement.querySelectorAll(".group");
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const group of groups) {
      for (const row of group.querySelectorAll(".scope")) {
        const text = row.textContent.toLowerCase();
        const matches = words.every((word) => text.includes(word));
        if (matches) found += 1;
        row.hidden = !matches && !row.querySelector("input").checked;
      }
      group.hidden = !group.querySelector(".scope:not([hidden])");
    }
    status.textContent = words.length === 0 ? "" : `${found} scope${found === 1 ? "" : "s"} found.`;
  };
  search.hidden = false;
  input.addEventListener("input", filter);
  // Enter would submit the form.
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}

// A token limited to an organization can only be limited to its projects.
const organization = document.querySelector("select#organization");
if (organization) {
  const narrow = () => {
    for (const group of document.querySelectorAll("[data-organization]")) {
      const isOut = organization.value !== "" && organization.value !== group.dataset.organization;
      group.hidden = isOut;
      for (const box of group.querySelectorAll("input")) box.disabled = isOut;
    }
  };
  organization.addEventListener("change", narrow);
  // The browser may restore an earlier choice.
  addEventListener("pageshow", narrow);
}

// Enter in a checkbox would press the form's first button, Deny: safe, but rarely intended.
for (const box of document.querySelectorAll(".consent input[type=checkbox]")) {
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}

// Exact times in the reader's zone. Without the script they are in UTC.
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
for (const time of document.querySelectorAll("time[title]")) time.title = exact.format(new Date(time.dateTime));

// The rows of a log by day, in the reader's zone.
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
for (const table of document.querySelectorAll(".table.log")) {
  const head = table.querySelector(".day");
  let last = "";
  for (const row of table.querySelectorAll("tbody tr")) {
    if (row.matches(".day")) {
      row.remove();
      continue;
    }
    const time = row.querySelector("[data-clock]");
    const at = new Date(time.dateTime);
    time.textContent = clock.format(at);
    if (day.format(at) === last) continue;
    last = day.format(at);
    const next = head.cloneNode(true);
    next.firstElementChild.textContent = last;
    row.before(next);
  }
  table.querySelector("[data-zone]")?.remove();
}

// Same texts as view/moment.rs, for times that change while a page is open.
function relative(milliseconds) {
  const minutes = Math.round(Math.abs(milliseconds) / 60000);
  const ahead = milliseconds > 0;
  if (minutes < 1) return ahead ? "in less than a minute" : "just now";
  const [count, unit] = minutes < 60 ? [minutes, "minute"] : [Math.round(minutes / 60), "hour"];
  const words = `${count} ${unit}${count === 1 ? "" : "s"}`;
  return ahead ? `in ${words}` : `${words} ago`;
}

const times = document.querySelectorAll("time[data-live]");
if (times.length > 0) {
  setInterval(() => {
    for (const time of times) {
      const distance = Date.parse(time.dateTime) - Date.now();
      if (Math.abs(distance) < 86400000) time.textContent = relative(distance);
    }
  }, 60000);
}
