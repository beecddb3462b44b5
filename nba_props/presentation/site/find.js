// The search of the index: dates by their words, players by their names.
"use strict";
(() => {
  const form = document.getElementById("find");
  if (!form) return;
  const people = JSON.parse(document.getElementById("data").textContent);
  const list = document.getElementById("people"), count = document.getElementById("count");
  const rows = [...document.querySelectorAll("#dates tbody tr")], MOST = 30;
  const fold = text => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const folded = people.map(([name]) => fold(name));
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("input", () => {
    const q = fold(form.elements.q.value.trim());
    let dates = 0;
    for (const row of rows) {
      row.hidden = Boolean(q) && !row.dataset.words.includes(q);
      dates += !row.hidden;
    }
    const found = q ? people.filter((_, n) => folded[n].includes(q)) : [];
    list.replaceChildren(...found.slice(0, MOST).map(([name, id, day]) => {
      const item = document.createElement("li"), link = document.createElement("a"), small = document.createElement("small");
      link.href = `${day}/${id}.html`;
      link.textContent = name;
      small.textContent = `last quoted on ${day}`;
      link.append(small);
      item.append(link);
      return item;
    }));
    list.hidden = !found.length;
    count.textContent = `${dates} date${dates === 1 ? "" : "s"}` + (q ? `, ${found.length} player${found.length === 1 ? "" : "s"}${found.length > MOST ? `, the first ${MOST} shown` : ""}` : "");
  });
})();
