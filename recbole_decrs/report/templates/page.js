"use strict";

// Tables that sort: a button in each heading, and aria-sort says by which column.
function key(row, column) {
  const cell = row.cells[column];
  return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent;
}

function compare(one, other) {
  const numbers = [typeof one === "number", typeof other === "number"];
  if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1; // what is no number comes last
  if (numbers[0]) return one - other;
  return one.localeCompare(other, undefined, { numeric: true });
}

function sort(table, column) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const isNumber = heads[column].classList.contains("number");
  const before = heads[column].getAttribute("aria-sort");
  const order = before ? (before === "ascending" ? "descending" : "ascending") : isNumber ? "descending" : "ascending";
  const sign = order === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => [key(row, column), row]);
  rows.sort(([a], [b]) => (typeof a === typeof b ? sign : 1) * compare(a, b));
  body.append(...rows.map(([, row]) => row));
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", order);
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    const explained = head.querySelector(".explained");
    if (explained) { // the button takes the place of the word that the explanation hangs on
      explained.removeAttribute("tabindex");
      button.setAttribute("aria-describedby", explained.getAttribute("aria-describedby"));
      explained.removeAttribute("aria-describedby");
    }
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, column));
  });
}

// Explanations: shown beside what has the pointer or the keyboard, and taken away by Escape.
const tip = document.createElement("div");
tip.id = "tip";
tip.hidden = true;
document.body.append(tip);

function told(target) {
  const found = target.closest ? target.closest("[data-tip], .explained, th button") : null;
  if (!found) return null;
  const inside = found.querySelector(".tip");
  const words = found.dataset.tip || (inside && inside.textContent);
  return words ? [found, words] : null;
}

function show(event) {
  const found = told(event.target);
  tip.hidden = !found;
  if (!found) return;
  tip.textContent = found[1];
  const box = found[0].getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const left = Math.min(Math.max(box.left, 6), Math.max(document.documentElement.clientWidth - size.width - 6, 6));
  const below = box.bottom + 8;
  const place = below + size.height > window.innerHeight ? Math.max(box.top - size.height - 8, 4) : below;
  // Through the object model, which the content policy leaves free, and not by an attribute.
  tip.style.left = `${left}px`;
  tip.style.top = `${place}px`;
}

document.addEventListener("pointerover", show);
document.addEventListener("focusin", show);
document.addEventListener("focusout", () => { tip.hidden = true; });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

// The search for users.
function made(name, words, kind) {
  const element = document.createElement(name);
  if (words !== undefined) element.textContent = words;
  if (kind) element.className = kind;
  return element;
}

function listed(title, items, names, hits, isOrdered) {
  const part = made("div");
  const list = made(isOrdered ? "ol" : "ul");
  for (const item of items) list.append(made("li", names[item], hits.has(item) ? "hit" : ""));
  part.append(made("h3", title), items.length ? list : made("p", "none"));
  return part;
}

function distribution(user, groups) {
  const part = made("div");
  const list = made("ul");
  for (const [group, share] of user.d) {
    const line = made("li", `${groups[group]} ${(100 * share).toFixed(1)}% `);
    const meter = made("meter");
    meter.value = share;
    meter.setAttribute("aria-hidden", "true");
    line.append(meter);
    list.append(line);
  }
  part.append(made("h3", "Groups of the history (d_u)"), user.d.length ? list : made("p", "no click on an item with a group"));
  return part;
}

function shown(data, user) {
  const part = made("div");
  const facts = [`${user.clicks} clicks in training`];
  if (user.drift !== null) facts.push(`drift eta_u ${user.drift}`);
  if (user.weight !== null) facts.push(`weight of the deconfounded scores ${user.weight}`);
  part.append(made("p", `User ${user.id}: ${facts.join(", ")}.`));
  const hits = new Set(user.test);
  const lists = made("div", undefined, "lists");
  const latest = user.clicks > data.latest ? `History, the latest ${data.latest} first` : "History, the latest first";
  lists.append(listed(latest, user.history, data.items, new Set(), false));
  if (data.groups.length) lists.append(distribution(user, data.groups));
  user.lists.forEach((items, place) => lists.append(listed(data.recommenders[place], items, data.items, hits, true)));
  lists.append(listed("Clicked in test", user.test, data.items, new Set(), false));
  part.append(lists);
  return part;
}

const source = document.getElementById("user-data");
if (source) {
  const data = JSON.parse(source.textContent);
  const field = document.getElementById("user");
  const found = document.getElementById("user-found");
  const byId = new Map(data.users.map((user, place) => [user.id, place]));
  let place = 0;
  const look = () => {
    const id = field.value.trim();
    if (byId.has(id)) {
      place = byId.get(id);
      found.replaceChildren(shown(data, data.users[place]));
    } else {
      const near = data.users.filter((user) => id && user.id.startsWith(id)).slice(0, 8).map((user) => user.id);
      const hint = near.length ? ` Users here that begin so: ${near.join(", ")}.` : "";
      found.replaceChildren(made("p", `No user ${id} among the ${data.users.length} on this page.${hint}`));
    }
  };
  const step = (by) => {
    place = (place + by + data.users.length) % data.users.length;
    field.value = data.users[place].id;
    look();
  };
  document.getElementById("user-ids").append(...data.users.map((user) => {
    const option = made("option");
    option.value = user.id;
    return option;
  }));
  field.addEventListener("input", look);
  document.getElementById("user-previous").addEventListener("click", () => step(-1));
  document.getElementById("user-next").addEventListener("click", () => step(1));
  if (data.users.length) step(0);
}
