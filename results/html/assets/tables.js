// Tables are sorted by any column: once up, once down, and the third time as they came.

function setUpTables() {
  for (const [n, table] of document.querySelectorAll("table.sortable").entries()) {
    const rows = [...table.tBodies[0].rows];
    const titles = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    for (const [column, title] of titles.entries()) {
      const button = node("button", { type: "button" }, ...title.childNodes);
      button.addEventListener("click", () => {
        chosen.sort.set(n, turn(chosen.sort.get(n), column, title.classList.contains("text")));
        sortTable(table, rows, titles, chosen.sort.get(n));
      });
      title.append(button);
    }
    sortTable(table, rows, titles, chosen.sort.get(n));
  }
}

// turn is the order after a click on a column: words begin with the first letter, figures with the largest.
function turn(order, column, words) {
  const first = words ? 1 : -1;
  if (!order || order.column !== column) return { column, direction: first };
  return order.direction === first ? { column, direction: -first } : undefined;
}

function sortTable(table, rows, titles, order) {
  for (const [column, title] of titles.entries()) {
    const sorted = order && order.column === column;
    title.setAttribute("aria-sort", !sorted ? "none" : order.direction > 0 ? "ascending" : "descending");
  }
  const sorted = order ? rows.toSorted((a, b) => compareCells(a.cells[order.column], b.cells[order.column], order.direction)) : rows;
  table.tBodies[0].append(...sorted);
}

// compareCells leaves what is not known at the end, whatever the direction.
function compareCells(a, b, direction) {
  const numbers = [a.dataset.sort, b.dataset.sort];
  if (numbers[0] === undefined && numbers[1] === undefined) {
    return direction * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  }
  if (numbers[0] === undefined) return 1;
  if (numbers[1] === undefined) return -1;
  return direction * (numbers[0] - numbers[1]);
}
