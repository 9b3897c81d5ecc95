// Names beside their marks, so that none covers another name or a mark.

// placeLabels gives each mark {x, y, r, width, height} a place {x, y}, the center of its name, or none where there is no
// room. The first marks choose first.
function placeLabels(marks, area) {
  const taken = marks.map((m) => ({ left: m.x - m.r, right: m.x + m.r, top: m.y - m.r, bottom: m.y + m.r }));
  return marks.map((m) => {
    for (const center of candidates(m)) {
      const box = {
        left: center.x - m.width / 2, right: center.x + m.width / 2,
        top: center.y - m.height / 2, bottom: center.y + m.height / 2,
      };
      const inside = box.left >= area.left && box.right <= area.right && box.top >= area.top && box.bottom <= area.bottom;
      if (inside && !taken.some((other) => overlap(box, other))) {
        taken.push(box);
        return center;
      }
    }
    return undefined;
  });
}

// candidates are places around a mark, the best first: beside it, then above and below, then aslant, then farther off.
function* candidates({ x, y, r, width, height }) {
  for (const gap of [2, 8]) {
    const across = r + gap + width / 2, along = r + gap + height / 2, aslant = 0.7 * (r + gap);
    yield { x: x + across, y };
    yield { x: x - across, y };
    yield { x, y: y - along };
    yield { x, y: y + along };
    for (const [right, down] of [[1, -1], [1, 1], [-1, -1], [-1, 1]]) {
      yield { x: x + right * (aslant + width / 2), y: y + down * (aslant + height / 2) };
    }
  }
}

function overlap(a, b) {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
