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

// The current tab is in sight on small screens. scrollIntoView() would make Tab start there.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const { clientWidth } = tab.parentElement;
  tab.parentElement.scrollLeft = tab.offsetLeft - (clientWidth - tab.offsetWidth) / 2;
}

// Shows the resources that match every word; those with a selection stay visible.
for (const search of document.querySelectorAll("[data-search]")) {
  const input = search.querySelector("input");
  const status = search.querySelector("[role=status]");
  const rows = search.parentElement.querySelectorAll(".resource");
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const matches = words.every((word) => text.includes(word));
      if (matches) found += 1;
      row.hidden = !matches && !row.querySelector("input:checked:not([value=none])");
    }
    status.textContent = words.length === 0 ? "" : `${found} of ${rows.length} found.`;
  };
  search.hidden = false;
  input.addEventListener("input", filter);
  // Enter would submit the form.
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}

// A token limited to an organization can only be limited to its projects.
const limits = document.querySelector("[name=organization]")?.form;
if (limits) {
  const narrow = () => {
    const choice = limits.elements.organization;
    for (const group of limits.querySelectorAll("[data-organization]")) {
      // A list of organizations has their projects below it, radio buttons have them beside each.
      const isOut = choice.value !== group.dataset.organization && (choice.value !== "" || choice instanceof RadioNodeList);
      group.hidden = isOut;
      for (const box of group.querySelectorAll("input")) box.disabled = isOut;
    }
  };
  limits.addEventListener("change", narrow);
  // The browser may restore an earlier choice.
  addEventListener("pageshow", narrow);
}

// The form of a new token: presets without a new page, and a summary in words.
const summary = document.querySelector("[data-summary]");
if (summary) {
  const { form } = summary.querySelector("button");
  const part = (name) => summary.querySelector(`[data-part=${name}]`);
  const everything = part("reach").textContent;
  const RISKS = ["high", "write", "read"];
  const MOST = 5;

  // The selected scopes, the riskiest first. Writing includes reading.
  const scopes = () => {
    const boxes = [...form.querySelectorAll(".resource input:checked:not([value=none])")];
    const read = (box) => box.closest(".seg")?.querySelector("[value$=':read']");
    const selected = new Set(boxes.flatMap((box) => [box, read(box) ?? box]));
    const about = [...selected].map((box) => {
      const { textContent: text, dataset } = document.getElementById(`grants-${box.value}`);
      return { name: box.value, text, risk: dataset.risk };
    });
    return about.sort((a, b) => RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk));
  };
  const below = (text, sub, tag = "span") => {
    const line = document.createElement(tag);
    line.className = "sub";
    line.textContent = sub;
    return [`${text} `, line];
  };
  const reach = () => {
    const projects = [...form.querySelectorAll("[name=project]:checked:enabled")].map((box) => box.nextElementSibling.textContent);
    const organization = form.querySelector("[name=organization]:checked")?.nextElementSibling.firstChild.textContent;
    if (projects.length === 0) return [organization ?? everything];
    return [projects.join(", "), organization && form.elements.organization.value && `in ${organization}`];
  };
  const end = () => {
    const chosen = form.querySelector("[name=expires]:checked");
    const [label, note] = chosen ? [...chosen.parentElement.querySelectorAll("span")].map((one) => one.textContent) : ["Choose a day"];
    const date = form.elements.expires_on.valueAsDate;
    if (chosen?.value !== "custom") return chosen?.value === "never" ? [label, note] : [note ?? label, note && label];
    return [date ? date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }) : note];
  };
  const update = () => {
    const found = scopes();
    const counts = RISKS.map((risk) => [found.filter((scope) => scope.risk === risk).length, risk === "high" ? "high risk" : risk]);
    const count = counts.filter(([number]) => number > 0).map((pair) => pair.join(" ")).join(", ");
    part("count").textContent = count || "No scopes";
    part("risk").replaceChildren(...found.map((scope) => Object.assign(document.createElement("span"), { className: scope.risk })));
    const lines = found.slice(0, MOST).flatMap((scope) => below(scope.text, scope.name, "code"));
    if (found.length > MOST) lines.push(`and ${found.length - MOST} more`);
    part("can").replaceChildren(...(lines.length > 0 ? lines : below("Identify its owner", "Only routes without a scope")));
    for (const [name, [text, sub]] of [["reach", reach()], ["end", end()]]) part(name).replaceChildren(...(sub ? below(text, sub) : [text]));
    const [until, remark] = end();
    const ends = remark === "Until revoked" ? "no end" : `until ${until}`;
    part("line").textContent = `${found.length} scope${found.length === 1 ? "" : "s"} · ${reach()[0]} · ${ends}`;
    const names = found.map((scope) => scope.name).sort().join(" ");
    for (const link of form.querySelectorAll("[data-preset]")) {
      const isCurrent = names !== "" && link.dataset.preset.split(" ").sort().join(" ") === names;
      if (isCurrent) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  for (const link of form.querySelectorAll("[data-preset]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const names = link.dataset.preset.split(" ");
      // In document order, so that the last choice of a row wins: writing includes reading.
      for (const box of form.querySelectorAll(".resource input")) {
        if (box.type === "checkbox") box.checked = names.includes(box.value);
        else if (box.value === "none" || names.includes(box.value)) box.checked = true;
      }
      update();
    });
  }
  for (const hidden of summary.querySelectorAll("[hidden]")) hidden.hidden = false;
  for (const event of ["input", "change"]) form.addEventListener(event, update);
  addEventListener("pageshow", update);
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

// Passkeys: only scripts can use authenticators. Bytes are sent in base64url.
const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes ?? []))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// Of two requests at once browsers refuse the second one.
let waiting = new AbortController();

async function usePasskey(form, options) {
  const { passkey, challenge, host, user, email, brand, known = "" } = form.dataset;
  const ids = known.split(" ").filter(Boolean);
  const credentials = ids.map((id) => ({ type: "public-key", id: toBytes(id) }));
  waiting.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  const common = { challenge: toBytes(challenge), userVerification: "preferred" };
  const found =
    passkey === "create"
      ? await navigator.credentials.create({
          signal,
          publicKey: {
            ...common,
            rp: { id: host, name: brand },
            user: { id: new TextEncoder().encode(user), name: email, displayName: email },
            pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
            authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" },
            excludeCredentials: credentials,
          },
        })
      : await navigator.credentials.get({
          ...options,
          signal,
          publicKey: { ...common, rpId: host, allowCredentials: credentials },
        });
  const { response } = found;
  const values = {
    credential: found.rawId,
    client_data: response.clientDataJSON,
    data: response.authenticatorData ?? response.getAuthenticatorData(),
    signature: response.signature,
    user_handle: response.userHandle,
  };
  for (const [name, bytes] of Object.entries(values)) form.elements[name].value = toText(bytes);
  form.submit();
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll("[data-passkey]") : []) {
  const problem = form.querySelector("[data-passkey-error]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    await usePasskey(form, {}).catch(() => (problem.hidden = false));
  });
  // The browser offers passkeys in the field for the email.
  if (document.querySelector("[autocomplete~=webauthn]")) {
    PublicKeyCredential.isConditionalMediationAvailable?.().then((isAvailable) => {
      if (isAvailable) usePasskey(form, { mediation: "conditional" }).catch(() => {});
    });
  }
}
