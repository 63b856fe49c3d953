"use strict";
(() => {
  const form = document.querySelector("form[role=search]");
  const output = form.querySelector("output");
  const holds = document.getElementById("holds");
  const everything = output.textContent;
  const names = [...form.querySelectorAll("[name]")].map((field) => field.name);
  const field = (name) => form.elements[name];
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // What the fields offer is in the tables of the page.
  const add = (select, value, label) => select.append(new Option(label, value));
  const severities = new Map();
  const controls = new Map();
  const files = new Map();
  for (const row of all("table.rules tbody tr")) {
    severities.set(row.dataset.r, row.dataset.s);
    add(field("rule"), row.dataset.r, `${row.cells[0].textContent} ${row.querySelector("code").textContent}`);
  }
  for (const row of all("table.files tr[data-f]")) {
    files.set(row.cells[0].textContent, row.dataset.f);
    add(field("file"), row.cells[0].textContent, row.cells[0].textContent);
  }
  for (const framework of all("details.framework")) {
    const group = document.createElement("optgroup");
    group.label = framework.querySelector("h3").textContent;
    for (const row of all("tr[data-r]", framework)) {
      if (!row.dataset.r) continue;
      const [id, title] = [row.cells[0].textContent, row.cells[1].textContent];
      const key = `${framework.dataset.name}/${id}`;
      controls.set(key, new Set(row.dataset.r.split(" ")));
      add(group, key, `${id} ${title}`);
    }
    if (group.children.length) field("control").append(group);
  }

  // Everything that can be filtered, read when it is first needed.
  let items = null;
  const read = () => {
    items = [];
    for (const group of all("section.rule")) {
      const words = all("h3, dl", group).slice(0, 2).map((part) => part.textContent).join(" ");
      for (const card of all("article", group)) {
        const text = `${words} ${card.textContent}`.toLowerCase();
        items.push({ node: card, box: group, kind: "findings", v: card.dataset.v, r: card.dataset.r, f: card.dataset.f, text });
      }
    }
    for (const row of all("#accepted tr[data-v]")) {
      const text = row.textContent.toLowerCase();
      items.push({ node: row, box: null, kind: "accepted", v: "suppressed", r: row.dataset.r, f: row.dataset.f, text });
    }
    for (const box of all("div.held")) {
      const head = box.firstElementChild.textContent;
      for (const node of box.lastElementChild.children) {
        const told = node.textContent;
        const v = node.className === "n" ? "not_applicable" : "pass";
        const r = told.slice(0, told.indexOf(" "));
        items.push({ node, box, kind: "evidence", v, r, f: box.dataset.f, text: `${head} ${told}`.toLowerCase() });
      }
    }
  };

  const wanted = () => Object.fromEntries(names.map((name) => [name, field(name).value.trim()]));
  const apply = () => {
    const want = wanted();
    const active = names.some((name) => want[name]);
    if (!items) {
      if (!active) return;
      read();
    }
    const words = want.q.toLowerCase().split(/\s+/).filter(Boolean);
    const rules = want.control ? controls.get(want.control) || new Set() : null;
    const file = want.file ? files.get(want.file) || "none" : "";
    const counts = { findings: [0, 0], accepted: [0, 0], evidence: [0, 0] };
    const shown = new Map();
    for (const item of items) {
      const fits =
        (!want.verdict || item.v === want.verdict) &&
        (!want.severity || item.r.split(" ").some((rule) => severities.get(rule) === want.severity)) &&
        (!want.rule || item.r.split(" ").includes(want.rule)) &&
        (!rules || item.r.split(" ").some((rule) => rules.has(rule))) &&
        (!file || item.f.split(" ").includes(file)) &&
        words.every((word) => item.text.includes(word));
      if (item.node.hidden === fits) item.node.hidden = !fits;
      counts[item.kind][0] += fits;
      counts[item.kind][1] += 1;
      if (item.box) shown.set(item.box, shown.get(item.box) || fits);
    }
    for (const [kind, [some, every]] of Object.entries(counts)) {
      document.querySelector(`#${kind} > .none`).hidden = some > 0 || every === 0;
    }
    for (const [box, fits] of shown) if (box.hidden === fits) box.hidden = !fits;
    if (holds && (want.verdict === "pass" || want.verdict === "not_applicable")) holds.open = true;
    const told = Object.entries({ findings: "findings", accepted: "accepted", evidence: "lines of evidence" })
      .filter(([kind]) => counts[kind][1])
      .map(([kind, label]) => `${counts[kind].map((count) => count.toLocaleString("en")).join(" of ")} ${label}`);
    output.textContent = active ? `Shown: ${told.join(", ") || "nothing"}` : everything;
  };

  // The address holds the filters, so that what is shown can be linked to.
  const write = () => {
    const pairs = Object.entries(wanted()).filter(([, value]) => value);
    const hash = pairs.length ? `#${new URLSearchParams(pairs)}` : location.pathname + location.search;
    try {
      history.replaceState(null, "", hash);
    } catch {
      // some browsers refuse this for files
    }
  };
  const load = () => {
    const hash = location.hash.slice(1);
    if (hash.includes("=")) {
      const given = new URLSearchParams(hash);
      for (const name of names) field(name).value = given.get(name) || "";
      apply();
      document.getElementById("findings").scrollIntoView();
      return;
    }
    const target = hash && document.getElementById(hash);
    if (!target) return;
    for (let up = target; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    if (target.closest("[hidden]")) {
      form.reset();
      apply();
    }
    target.scrollIntoView();
  };

  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => (apply(), write()), 100);
  });
  form.addEventListener("reset", () => setTimeout(() => (apply(), write()), 0));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", load);

  form.hidden = false;
  load();
})();
