// The table of a slate: rows from the page's data, filters and order in the address, the odds of all books on demand.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("filters"), host = document.getElementById("props");
  const count = document.getElementById("count"), more = document.getElementById("more");
  const STEP = 60, SIDES = ["over", "under"], LETTERS = ["OVER", "UNDER"];

  // text is escaped wherever it is put into HTML
  const MARKS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  class Html extends String {}
  const one = v => v instanceof Html ? v : v == null || v === false ? "" : Array.isArray(v) ? v.map(one).join("") : String(v).replace(/[&<>"']/g, c => MARKS[c]);
  const html = (parts, ...values) => new Html(parts.reduce((out, part, n) => out + one(values[n - 1]) + part));
  const known = v => v !== null && v !== undefined;
  const number = (v, digits = 1, sign = false) => known(v) ? (sign && v > 0 ? "+" : "") + v.toFixed(digits) : "";
  const price = v => known(v) ? (v > 0 ? "+" : "") + Math.round(v) : "";
  const percent = (v, digits = 0, sign = false) => known(v) ? (sign && v > 0 ? "+" : "") + (100 * v).toFixed(digits) + "\u00a0%" : "";
  const fold = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const words = row => known(row.side) ? SIDES[row.side] : "over";

  // past results of the row's market, the newest last, and how many of the newest n its side would have won
  const past = row => data.past[row.player].map(game => row.stats.reduce((sum, stat) => sum + game[stat], 0));
  const wins = (row, results) => results.map(r => row.side === 1 ? r < row.line : r > row.line);
  const hits = (row, n) => { const w = row.wins.slice(-n); return w.length < n ? null : w.filter(Boolean).length; };

  const rows = data.rows.map(values => {
    const row = {};
    data.fields.forEach((name, n) => { row[name] = values[n]; });
    const [id, name, team, status] = data.players[row.player], [key, title, short, stats] = data.markets[row.market];
    Object.assign(row, { id, name, team, status, key, title, short, stats, found: fold(name) });
    const results = known(row.line) ? past(row) : [];
    row.results = results;
    row.wins = wins(row, results);
    return row;
  });

  function games(row) {
    const results = row.results, most = Math.max(row.line * 1.25, ...results), high = 34, wide = 5;
    const y = v => high - high * v / most, left = (20 - results.length) * 6;
    const bars = results.map((r, n) => html`<rect class="${row.wins[n] ? "win" : "lose"}" x="${left + n * 6}" y="${y(r).toFixed(1)}" width="${wide}" height="${Math.max(high - y(r), 1).toFixed(1)}"/>`);
    const said = `last ${results.length} games, newest last: ${results.join(", ")}; line ${row.line}`;
    return results.length ? html`<svg class="games" role="img" aria-label="${said}" width="120" height="${high}" viewBox="0 0 120 ${high}">${bars}<line class="line" x1="0" x2="120" y1="${y(row.line)}" y2="${y(row.line)}"/></svg>` : "";
  }
  const heat = (n, kind) => ({
    kind,
    cell: row => {
      const h = hits(row, n);
      return known(h) ? html`<td class="heat ${kind}" style="--share:${(h / n).toFixed(2)}">${h}/${n}</td>` : html`<td class="${kind}"></td>`;
    },
    by: row => { const h = hits(row, n); return known(h) ? h / n : null; },
  });
  const cell = (of, kind, inner) => html`<td class="${kind}">${inner}</td>`;
  const COLUMNS = {
    player: { title: "player", by: r => r.name, cell: (r, n) => {
      const [away, home, tip] = data.games[r.game];
      return html`<th scope="row"><a href="${r.id}.html#${r.key}">${r.name}</a> <button class="open" type="button" aria-expanded="false" data-row="${n}" aria-label="Odds and systems: ${r.name}, ${r.title}">▸</button><small>${r.team ?? "?"} · ${away} @ ${home} ${tip}</small>${r.status && html`<small class="status">${r.status}</small>`}</th>`;
    } },
    pick: { title: "pick", by: r => known(r.side) ? r.side : null, cell: r => known(r.line)
      ? html`<td><span class="${known(r.side) ? SIDES[r.side] + (r.pick ? "" : " lean") : "lean"}">${known(r.side) ? LETTERS[r.side] : "·"} ${r.line}</span><small>${r.short}${r.pick ? "" : known(r.side) ? " · no pick" : ""}${known(r.result) ? ` · ${r.result}${r.pick ? " " + r.outcome.toLowerCase() : ""}` : ""}</small></td>`
      : html`<td><span class="lean">no line</span><small>${r.short}</small></td>` },
    price: { title: "best price", right: true, by: r => r.price, cell: r => html`<td class="right"><span class="strong">${price(r.price)}</span><small>${known(r.book) ? data.books[r.book][1] : ""}</small></td>` },
    projection: { title: "projection", right: true, kind: "mid-only", by: r => known(r.forecast) ? (r.forecast - r.line) / Math.max(r.line, 1) : null, cell: r => html`<td class="right mid-only">${r.why ? html`<small>${r.why.replace(": ", ":\n")}</small>` : html`${number(r.forecast)}<small>${number(known(r.forecast) ? r.forecast - r.line : null, 1, true)}</small>`}</td>` },
    P: { title: "P", right: true, kind: "phone-hidden", by: r => r.chance ?? r.market_chance, cell: r => html`<td class="right phone-hidden">${percent(r.chance ?? r.market_chance)}<small>${known(r.chance) ? `books ${percent(r.market_chance)}` : known(r.market_chance) ? "books" : ""}</small></td>` },
    fair: { title: "fair", right: true, kind: "wide-only", by: r => r.fair, cell: r => html`<td class="right wide-only">${price(r.fair)}</td>` },
    EV: { title: "EV", right: true, by: r => r.shrunk_ev, cell: r => html`<td class="right"><span class="strong">${percent(r.shrunk_ev, 1, true)}</span><small>${known(r.books_ev) ? "raw " + percent(r.books_ev, 1, true) : ""}</small></td>` },
    "last 5": { title: "last 5", ...heat(5, "mid-only") },
    "last 10": { title: "10", label: "last 10", ...heat(10, "mid-only") },
    "last 20": { title: "20", label: "last 20", ...heat(20, "wide-only") },
    games: { title: "last 20 games", kind: "wide-only", cell: r => html`<td class="wide-only">${known(r.line) ? games(r) : ""}</td>` },
    opened: { title: "opened", right: true, kind: "wide-only", by: r => known(r.opening) && known(r.newest) ? Math.abs(r.newest - r.opening) : null, cell: r => html`<td class="right wide-only">${known(r.opening) ? html`${r.opening} → ${r.newest}` : ""}<small>${known(r.line) ? `${r.books} book${r.books === 1 ? "" : "s"}, range ${r.range ?? 0}` : ""}</small></td>` },
    agree: { title: "agree", right: true, kind: "wide-only", by: r => r.of ? r.agree / r.of : null, cell: r => html`<td class="right wide-only">${known(r.agree) ? `${r.agree} of ${r.of}` : ""}<small>${known(r.age) ? `quote ${number(r.age)} h` : ""}</small></td>` },
  };

  let shown = STEP, found = [], drawn = null;
  const NONE = { q: "", market: "", game: "", team: "", book: "", side: "", all: "", sort: "EV" };
  const state = () => ({ ...NONE, ...Object.fromEntries(new URLSearchParams(location.hash.slice(1))) });
  function filtered(s) {
    const q = fold(s.q.trim());
    const out = rows.filter(r => (s.all || known(r.line)) && (!q || r.found.includes(q)) && (!s.market || r.key === s.market)
      && (!s.game || data.games[r.game].slice(0, 2).join("@") === s.game) && (!s.team || r.team === s.team)
      && (!s.book || (known(r.book) && data.books[r.book][0] === s.book))
      && (!s.side || (s.side === "picks" ? r.pick : known(r.side) && r.side === +s.side)));
    const down = !s.sort.startsWith("-"), column = COLUMNS[s.sort.replace(/^-/, "")];
    if (!column || !column.by) return out;
    const keys = new Map(out.map(r => [r, column.by(r)]));
    const text = typeof keys.get(out[0]) === "string";
    // what is not known is last either way
    return out.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      if (!known(x) || !known(y)) return known(y) - known(x);
      return (text ? x.localeCompare(y) : y - x) * (down ? 1 : -1);
    });
  }
  const heading = ([id, c], s) => {
    const direction = s.sort === id ? (id === "player" ? "ascending" : "descending") : s.sort === "-" + id ? (id === "player" ? "descending" : "ascending") : null;
    const sorted = direction ? html` aria-sort="${direction}"` : "";
    return html`<th scope="col" class="${c.kind ?? ""}${c.right ? " right" : ""}"${sorted}>${c.by ? html`<button type="button" data-sort="${id}" aria-label="${c.label ?? c.title}: sort">${c.title}</button>` : c.title}</th>`;
  };
  function draw() {
    const s = state();
    drawn = location.hash;
    found = filtered(s);
    const head = Object.entries(COLUMNS).map(entry => heading(entry, s));
    const body = found.slice(0, shown).map((r, n) => html`<tr>${Object.values(COLUMNS).map(c => c.cell(r, n))}</tr>`);
    host.innerHTML = html`<table><caption class="skip">${found.length > shown ? `The first ${shown} of ${found.length}` : found.length} props</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
    const picks = found.filter(r => r.pick).length;
    count.textContent = `${found.length} props of ${new Set(found.map(r => r.id)).size} players, ${picks} picks`;
    more.hidden = found.length <= shown;
  }
  function fill() {
    const s = state();
    for (const field of form.elements) {
      if (!field.name) continue;
      if (field.type === "checkbox") field.checked = Boolean(s[field.name]); else field.value = s[field.name];
    }
  }
  // the fragment is the one part of an address that a page opened from a file may change
  function keep(changes) {
    const s = { ...state(), ...changes };
    const asked = new URLSearchParams(Object.entries(s).filter(([k, v]) => v !== NONE[k]));
    location.replace("#" + asked);
    shown = STEP;
    draw();
  }

  // the odds of all books: a file for each market, loaded when a row of it is first opened
  const loads = {};
  window.nbaProps = { odds: {} };
  const odds = market => loads[market] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `odds-${market}.js`;
    script.onload = () => resolve(window.nbaProps.odds[market]);
    script.onerror = () => reject(new Error("no odds beside this page"));
    document.head.append(script);
  });
  function ladder(shape, line) {
    const [, lowest, masses] = shape;
    let over = 0, under = 0;
    masses.forEach((p, n) => { if (lowest + n > line) over += p; else if (lowest + n < line) under += p; });
    return over + under > 0 ? over / (over + under) : null;
  }
  const table = (title, heads, lines) => html`<div><h3>${title}</h3><table><thead><tr>${heads.map((h, n) => html`<th scope="col" class="${n ? "right" : ""}">${h}</th>`)}</tr></thead><tbody>${lines.map(l => html`<tr>${l.map((v, n) => html`<td class="${n ? "right" : ""}">${v}</td>`)}</tr>`)}</tbody></table></div>`;
  function systems(row) {
    const lines = row.systems.map(([n, forecast, p, side, line]) => [data.systems[n], number(forecast), percent(p), known(side) ? `${SIDES[side]} ${line}` : "pass"]);
    return lines.length ? table("Systems", ["system", "forecast", "P(over)", "side"], lines) : html`<p>${row.why}</p>`;
  }
  function books(row, found) {
    const own = (found.quotes[row.id] ?? []), main = own.filter(q => q[4]), others = own.filter(q => !q[4]);
    const line = ([book, l, over, under, , age, p]) => [book, l, price(over), price(under), percent(p), number(age) + " h"];
    const shape = found.shapes[row.id];
    const lines = [...new Set(own.map(q => q[1]))].sort((a, b) => a - b);
    const steps = shape ? lines.map(l => {
      const p = ladder(shape, l), at = own.filter(q => q[1] === l);
      const best = n => { const prices = at.map(q => q[n]).filter(known); return prices.length ? price(Math.max(...prices)) : ""; };
      return [l, percent(p, 1), best(2), best(3)];
    }) : [];
    return html`${table("Main lines of the books", ["book", "line", "over", "under", "P(over) by the others", "age"], main.map(line))}
      ${steps.length ? table(`${others.length ? "Every line" : "The lines"} and our distribution${shape[0] === "UNANCHORED" ? ", unanchored: it says nothing of a bet" : ""}`, ["line", "P(over)", "best over", "best under"], steps) : ""}`;
  }
  async function toggle(button) {
    const tr = button.closest("tr"), row = found[+button.dataset.row];
    if (button.getAttribute("aria-expanded") === "true") {
      tr.nextElementSibling.remove();
      button.setAttribute("aria-expanded", "false");
      return;
    }
    button.setAttribute("aria-expanded", "true");
    tr.insertAdjacentHTML("afterend", html`<tr class="detail"><td colspan="${Object.keys(COLUMNS).length}"><div class="columns">${systems(row)}</div><p><a href="${row.id}.html#${row.key}">${row.name}, ${row.title.toLowerCase()}: games, line movement, distribution, and the published rows with their quotes</a></p></td></tr>`);
    const box = tr.nextElementSibling.querySelector(".columns");
    try { box.insertAdjacentHTML("beforeend", books(row, await odds(row.key))); } catch (error) { box.insertAdjacentHTML("beforeend", html`<p class="bad">${error.message}</p>`); }
  }

  const options = (name, entries) => form.elements[name].insertAdjacentHTML("beforeend", entries.map(([value, text]) => html`<option value="${value}">${text}</option>`).join(""));
  options("market", data.markets.map(([key, title]) => [key, title]));
  options("game", data.games.map(([away, home, tip]) => [`${away}@${home}`, `${away} @ ${home} ${tip}`]));
  options("team", [...new Set(data.players.map(p => p[2]).filter(known))].sort().map(t => [t, t]));
  options("book", data.books.filter((_, n) => rows.some(r => r.book === n)));
  form.addEventListener("input", () => keep(Object.fromEntries([...form.elements].filter(f => f.name).map(f => [f.name, f.type === "checkbox" ? (f.checked ? "1" : "") : f.value]))));
  form.addEventListener("reset", event => { event.preventDefault(); keep(NONE); fill(); });
  form.addEventListener("submit", event => event.preventDefault());
  host.addEventListener("click", event => {
    const sort = event.target.closest("[data-sort]"), open = event.target.closest(".open");
    if (sort) {
      const id = sort.dataset.sort, s = state().sort;
      keep({ sort: s === id ? "-" + id : id });
      host.querySelector(`[data-sort="${id}"]`).focus();
    } else if (open) toggle(open);
  });
  more.addEventListener("click", () => { shown += STEP * 4; draw(); });
  window.addEventListener("hashchange", () => { if (location.hash !== drawn) { fill(); draw(); } });
  fill();
  draw();
})();
