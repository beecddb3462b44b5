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
  const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
  const fold = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();

  // past results of the row's market, the newest last, and how many of the newest n its side would have won
  const past = row => data.past[row.player].map(game => row.stats.reduce((sum, stat) => sum + game[stat], 0));
  const wins = (row, results) => results.map(r => known(row.side) && (row.side === 1 ? r < row.line : r > row.line));
  const hits = (row, n) => { const w = row.wins.slice(-n); return w.length < n || !known(row.side) ? null : w.filter(Boolean).length; };

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
    const y = v => high - high * v / most, left = (data.shown_games - results.length) * 6, across = data.shown_games * 6;
    const bars = results.map((r, n) => html`<rect class="${row.wins[n] ? "win" : "lose"}" x="${left + n * 6}" y="${y(r).toFixed(1)}" width="${wide}" height="${Math.max(high - y(r), 1).toFixed(1)}"/>`);
    const said = `last ${results.length} games, newest last: ${results.join(", ")}; line ${row.line}`;
    return results.length ? html`<svg class="games" role="img" aria-label="${said}" width="${across}" height="${high}" viewBox="0 0 ${across} ${high}">${bars}<line class="line" x1="0" x2="${across}" y1="${y(row.line)}" y2="${y(row.line)}"/></svg>` : "";
  }
  const OLD = data.stale_hours, SHOWN = data.shown_games;
  const heat = (n, kind) => ({
    kind,
    tip: `In how many of his last ${n} games the side would have won at this line`,
    text: row => { const h = hits(row, n); return known(h) ? `${h}/${n}` : ""; },
    attributes: row => { const h = hits(row, n); return known(h) ? html` style="--share:${(2 * h / n - 1).toFixed(2)}"` : ""; },
    extra: "heat",
    by: row => { const h = hits(row, n); return known(h) ? h / n : null; },
  });
  const moved = r => known(r.opening) ? `${r.opening} → ${r.newest}` : "";
  const spread = r => known(r.line) ? `${plural(r.books, "book")}, range ${r.range ?? 0}` : "";
  const age = r => known(r.age) ? html`<span class="${r.age > OLD ? "status" : ""}">${number(r.age)} h old</span>` : "";
  const outcome = r => !known(r.result) ? (r.outcome === "VOID" ? " · void" : "") : ` · ${r.result}${r.pick && r.outcome ? " " + r.outcome.toLowerCase() : ""}`;
  const chances = r => known(r.chance) ? `${data.systems[r.by].replace(/_v.*/, "")} ${percent(r.chance)}` : "";
  // a column's first line, the smaller one under it, and what it is sorted by
  const COLUMNS = {
    player: { title: "player", by: r => r.name },
    pick: { title: "pick", tip: "In colour the side of a pick; see what the columns say", by: r => known(r.side) ? r.side : null,
      text: r => known(r.line) ? html`<span class="${known(r.side) ? SIDES[r.side] + (r.pick ? "" : " lean") : "lean"}">${known(r.side) ? LETTERS[r.side] : "line"} ${r.line}</span>` : html`<span class="lean">no line</span>`,
      small: r => html`${r.short}${r.why ? ` · ${r.why.replace(/^no line: /, "")}` : r.pick ? "" : " · no pick"}${outcome(r)}`, wraps: true },
    price: { title: "best price", tip: "The best price of that side at that line, its book, and how old the quote is", right: true, by: r => r.price,
      text: r => html`<span class="strong">${price(r.price)}</span>`,
      small: r => html`${known(r.book) ? data.books[r.book][1] : ""}${r.alternate ? ", alternate" : ""}${r.age > OLD ? html` · ${age(r)}` : ""}`, wraps: true },
    projection: { title: "projection", tip: "The system's forecast, and its distance from the line", right: true, kind: "mid-only", by: r => known(r.forecast) ? (r.forecast - r.line) / Math.max(r.line, 1) : null,
      text: r => number(r.forecast), small: r => number(known(r.forecast) ? r.forecast - r.line : null, 1, true) },
    P: { title: "P", tip: "Probability that the side wins by the books other than that of the price; under it by a system", right: true, kind: "phone-hidden", by: r => r.books_chance,
      text: r => percent(r.books_chance), small: r => chances(r) || (!known(r.books_chance) && known(r.market_chance) ? "all books " + percent(r.market_chance) : "") },
    fair: { title: "fair", tip: "The side's price without a vig by the other books; under it a stake, as a share of the bankroll", right: true, kind: "wide-only", by: r => r.fair,
      text: r => price(r.fair), small: r => r.stake ? `stake ${percent(r.stake, 1)}` : "" },
    EV: { title: "EV", tip: "Average profit of a unit at the best price by the other books: the part that results have followed, and raw", right: true, by: r => r.kept_ev,
      text: r => html`<span class="strong">${percent(r.kept_ev, 1, true)}</span>`, small: r => known(r.books_ev) ? "raw " + percent(r.books_ev, 1, true) : "" },
    "last 5": { title: "last 5", ...heat(5, "mid-only") },
    "last 10": { title: "10", label: "last 10", ...heat(10, "mid-only") },
    "last 20": { title: "20", label: "last 20", ...heat(20, "wide-only") },
    games: { title: `last ${SHOWN} games`, kind: "wide-only", text: r => known(r.line) ? games(r) : "" },
    opened: { title: "opened", tip: "The chosen book's first line and its newest; how many books have a line, and how far apart", right: true, kind: "wide-only", by: r => known(r.opening) && known(r.newest) ? Math.abs(r.newest - r.opening) : null,
      text: moved, small: spread },
    agree: { title: "agree", tip: "Systems on that side, of those with a forecast", right: true, kind: "wide-only", by: r => r.of && known(r.agree) ? r.agree / r.of : null,
      text: r => known(r.agree) ? `${r.agree} of ${r.of}` : "" },
  };
  const who = (r, n) => {
    const [away, home, tip] = data.games[r.game];
    return html`<th scope="row"><a href="${r.id}.html#${r.key}">${r.name}</a> <button class="open" type="button" aria-expanded="false" data-row="${n}" aria-label="Odds and systems: ${r.name}, ${r.title}">▸</button><small>${r.team ?? "?"} · ${away} @ ${home} ${tip}</small>${r.status && html`<small class="status">${r.status}</small>`}</th>`;
  };
  const cell = (c, r) => html`<td class="${c.kind ?? ""}${c.right ? " right" : ""}${c.extra && known(c.by(r)) ? " " + c.extra : ""}"${c.attributes ? c.attributes(r) : ""}>${c.text(r)}${c.small ? html`<small class="${c.wraps ? "wraps" : ""}">${c.small(r)}</small>` : ""}</td>`;
  const line = (r, n) => html`<tr>${Object.entries(COLUMNS).map(([id, c]) => id === "player" ? who(r, n) : cell(c, r))}</tr>`;

  let shown = STEP, found = [], drawn = null;
  const opened = new Set();
  const NONE = { q: "", market: "", game: "", team: "", book: "", side: "", picks: "", all: "", sort: "EV" };
  const state = () => ({ ...NONE, ...Object.fromEntries([...new URLSearchParams(location.hash.slice(1))].filter(offered)) });
  // a value that a list does not offer is none: nothing is filtered out unseen
  const offered = ([key, value]) => Object.hasOwn(NONE, key) && (form.elements[key]?.type !== "checkbox" || value === "1") && (form.elements[key]?.tagName !== "SELECT" || [...form.elements[key].options].some(o => o.value === value));
  function filtered(s) {
    const q = fold(s.q.trim());
    const out = rows.filter(r => (s.all || known(r.line)) && (!q || r.found.includes(q)) && (!s.market || r.key === s.market)
      && (!s.game || data.games[r.game].slice(0, 2).join("@") === s.game) && (!s.team || r.team === s.team)
      && (!s.book || (known(r.book) && data.books[r.book][0] === s.book))
      && (!s.side || (known(r.side) && r.side === +s.side)) && (!s.picks || r.pick));
    const down = !s.sort.startsWith("-"), id = s.sort.replace(/^-/, "");
    const column = Object.hasOwn(COLUMNS, id) ? COLUMNS[id] : null;
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
    return html`<th scope="col" class="${c.kind ?? ""}${c.right ? " right" : ""}"${sorted}>${c.by ? html`<button type="button" data-sort="${id}" title="${c.tip ?? ""}" aria-label="${c.label ?? c.title}: sort">${c.title}</button>` : c.title}</th>`;
  };
  function draw() {
    const s = state();
    drawn = location.hash;
    found = filtered(s);
    const head = Object.entries(COLUMNS).map(entry => heading(entry, s));
    const body = found.slice(0, shown).map(line);
    if (!found.length) host.innerHTML = html`<p>Nothing matches: Reset shows everything.</p>`;
    else host.innerHTML = html`<table><caption class="skip">${found.length > shown ? `The first ${shown} of ${found.length}` : found.length} ${data.what}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
    const picks = found.filter(r => r.pick).length;
    count.textContent = `${plural(found.length, data.what.slice(0, -1))} of ${plural(new Set(found.map(r => r.id)).size, "player")}, ${plural(picks, "pick")}`;
    more.hidden = found.length <= shown;
    // what was opened is open wherever it is drawn
    if (opened.size) host.querySelectorAll(".open").forEach(b => { if (opened.has(found[+b.dataset.row])) expand(b); });
  }
  function fill() {
    const s = state();
    for (const field of form.elements) {
      if (!field.name) continue;
      if (field.type === "checkbox") field.checked = Boolean(s[field.name]); else field.value = s[field.name];
    }
  }
  // the fragment is the one part of an address that a page opened from a file may change
  function keep(changes, first = STEP) {
    const s = { ...state(), ...changes };
    const asked = new URLSearchParams(Object.entries(s).filter(([k, v]) => v !== NONE[k]));
    location.replace("#" + asked);
    shown = first;
    draw();
  }

  // the odds of all books: a file for each market, loaded when a row of it is first opened
  const loads = {};
  window.nbaProps = { odds: {} };
  const odds = market => loads[market] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `odds-${market}.js`;
    script.onload = () => resolve(window.nbaProps.odds[market]);
    script.onerror = () => { delete loads[market]; reject(new Error("The odds of this market could not be loaded.")); };
    document.head.append(script);
  });
  const table = (title, heads, lines, strong = () => false) => html`<div><h3>${title}</h3><table><thead><tr>${heads.map((h, n) => html`<th scope="col" class="${n ? "right" : ""}">${h}</th>`)}</tr></thead><tbody>${lines.map(l => html`<tr class="${strong(l) ? "strong" : ""}">${l.map((v, n) => html`<td class="${n ? "right" : ""}">${v}</td>`)}</tr>`)}</tbody></table></div>`;
  // what a narrow screen has no column for
  function summary(r) {
    const facts = [["projection", number(r.forecast)], ["P by the other books", percent(r.books_chance)], ["P by a system", chances(r)], ["fair price", price(r.fair)],
      ["stake", r.stake ? percent(r.stake, 1) : ""], ["last 5, 10, 20", [5, 10, 20].map(n => hits(r, n) === null ? "-" : `${hits(r, n)}/${n}`).join(", ")], ["opened", moved(r)], ["books", spread(r)],
      ["agree", known(r.agree) ? `${r.agree} of ${r.of}` : ""], ["best price", age(r)]];
    return html`<dl class="summary">${facts.filter(([, v]) => v !== "").map(([k, v]) => html`<div><dt>${k}</dt><dd>${v}</dd></div>`)}</dl>`;
  }
  function systems(row) {
    const lines = row.systems.map(([n, forecast, p, side, at]) => [data.systems[n], number(forecast), at ?? "", percent(p), known(side) ? SIDES[side] : known(forecast) ? "pass" : "abstained"]);
    return lines.length ? table("Systems", ["system", "forecast", "line", "P(over)", "side"], lines) : html`<p>${row.why}</p>`;
  }
  function books(row, found) {
    const own = (found[row.id] ?? []), main = own.filter(q => q[4]), has = own.some(q => known(q[7]));
    const at = ([book, l, over, under, , old, p]) => [book, l, price(over), price(under), percent(p), number(old) + " h"];
    const best = (l, n) => own.filter(q => q[1] === l && known(q[n])).reduce((top, q) => !top || q[n] > top[n] ? q : top, null);
    const quoted = (q, n) => q ? `${price(q[n])} ${q[0]}` : "";
    const ours = l => percent(own.find(q => q[1] === l)[7], 1);
    const steps = [...new Set(own.map(q => q[1]))].sort((a, b) => a - b).map(l => [l, ...(has ? [ours(l)] : []), quoted(best(l, 2), 2), quoted(best(l, 3), 3)]);
    return html`${table("Main lines of the books", ["book", "line", "over", "under", "P(over) by the others", "age"], main.map(at))}
      ${table(`Every line, alternates too${has ? ", P(over) by our distribution" : ""}`, ["line", ...(has ? ["P(over)"] : []), "best over", "best under"], steps, l => l[0] === row.line)}`;
  }
  function toggle(button) {
    const row = found[+button.dataset.row];
    if (!opened.delete(row)) {
      opened.add(row);
      expand(button);
      return;
    }
    button.closest("tr").nextElementSibling.remove();
    button.setAttribute("aria-expanded", "false");
  }
  async function expand(button) {
    const tr = button.closest("tr"), row = found[+button.dataset.row];
    button.setAttribute("aria-expanded", "true");
    tr.insertAdjacentHTML("afterend", html`<tr class="detail"><td colspan="${Object.keys(COLUMNS).length}"><div class="box">${summary(row)}<div class="columns">${systems(row)}</div><p><a href="${row.id}.html#${row.key}">${row.name}, ${row.title.toLowerCase()}: games, line movement, distribution, and the published rows with their quotes</a></p></div></td></tr>`);
    const box = tr.nextElementSibling.querySelector(".columns");
    try { box.insertAdjacentHTML("beforeend", books(row, await odds(row.key))); } catch (error) { box.insertAdjacentHTML("beforeend", html`<p class="bad">${error.message}</p>`); }
  }

  const options = (name, entries) => form.elements[name].insertAdjacentHTML("beforeend", entries.map(([value, text]) => html`<option value="${value}">${text}</option>`).join(""));
  options("market", data.markets.map(([key, title]) => [key, title]));
  options("game", data.games.map(([away, home, tip]) => [`${away}@${home}`, `${away} @ ${home} ${tip}`]));
  options("team", [...new Set(data.players.map(p => p[2]).filter(known))].sort().map(t => [t, t]));
  const used = new Set(rows.map(r => r.book));
  options("book", data.books.filter((_, n) => used.has(n)));
  form.addEventListener("input", () => keep(Object.fromEntries([...form.elements].filter(f => f.name).map(f => [f.name, f.type === "checkbox" ? (f.checked ? "1" : "") : f.value]))));
  form.addEventListener("reset", event => { event.preventDefault(); keep(NONE); fill(); });
  form.addEventListener("submit", event => event.preventDefault());
  host.addEventListener("click", event => {
    const sort = event.target.closest("[data-sort]"), open = event.target.closest(".open");
    if (sort) {
      const id = sort.dataset.sort, s = state().sort;
      keep({ sort: s === id ? "-" + id : id }, shown);
      host.querySelector(`[data-sort="${id}"]`).focus();
    } else if (open) toggle(open);
  });
  // the fragment is the filters: this link moves the focus alone
  document.querySelector("a.skip").addEventListener("click", event => { event.preventDefault(); document.getElementById("content").focus(); });
  more.addEventListener("click", () => { shown += STEP * 4; draw(); });
  window.addEventListener("hashchange", () => { if (location.hash !== drawn) { fill(); draw(); } });
  fill();
  draw();
})();
