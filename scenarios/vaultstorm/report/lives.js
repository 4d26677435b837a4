"use strict";
/* Names of moments in as many rows as they need, below them the recycles, and then one bar for
   each worker's life: starting, serving, told to shut down. */
const livesChart = (kit) => (line, key) => {
  const { LEFT, RIGHT, axes, bounded, colour, cursor, font, inside, number, verticals, write } = kit;
  const ROW = 17, LIFE = 18;
  const rows = [];
  for (const life of line.lives) {
    const from = life[1] ?? -Infinity;
    let row = rows.findIndex((bars) => (bars[bars.length - 1][4] ?? Infinity) <= from);
    if (row < 0) row = rows.push([]) - 1;
    rows[row].push(life);
  }
  const shown = rows.slice(0, 12), names = Math.min(4, line.marks.length);
  const ticks = line.recycles.length ? ROW : 0, bars = names * ROW + ticks;
  const xs = [line.first, line.last];
  const label = (plot, ctx, scale, box) => {
    const ends = new Array(names).fill(-Infinity);
    ctx.textBaseline = "top";
    for (const [time, text] of line.marks) {
      const x = plot.valToPos(time, "x", true), wide = ctx.measureText(text).width;
      const left = Math.min(Math.max(x + 4 * scale, box.left), box.left + box.width - wide);
      const row = ends.findIndex((end) => end < left);
      if (row < 0 || x < box.left || x > box.left + box.width) continue;
      ends[row] = left + wide + 8 * scale;
      write(ctx, text, left, box.top + (row * ROW + 1) * scale, scale, colour("ink"));
    }
  };
  const recycles = (plot, ctx, scale, box) => {
    const top = box.top + names * ROW * scale;
    ctx.fillStyle = colour("mark");
    for (const time of line.recycles) {
      ctx.fillRect(plot.valToPos(time, "x", true), top + 3 * scale, scale, (ROW - 4) * scale);
    }
    if (!ticks) return;
    ctx.textBaseline = "top";
    const all = line.recycles.length;
    const text = `${number(all)} recycle${all === 1 ? "" : "s"}`;
    write(ctx, text, box.left + 2 * scale, top + 2 * scale, scale, colour("soft"));
  };
  const bar = (plot, ctx, scale, box, [worker, from, serving, stopping, until, ending, lost], row) => {
    const clip = (x) => Math.min(Math.max(x, box.left), box.left + box.width);
    const at = (time, or) => (time === null ? or : clip(plot.valToPos(time, "x", true)));
    const left = at(from, box.left), right = at(until, box.left + box.width);
    const top = box.top + (bars + row * LIFE + 2) * scale, tall = (LIFE - 4) * scale;
    if (right <= left) return;
    const last = at(stopping, right), first = Math.min(at(serving, from === null ? left : last), last);
    ctx.fillStyle = colour("starting");
    ctx.fillRect(left, top, first - left, tall);
    ctx.fillStyle = colour("life");
    ctx.fillRect(first, top, last - first, tall);
    ctx.fillStyle = colour("stopping");
    if (stopping !== null) ctx.fillRect(last, top, Math.max(right - last, scale), tall);
    ctx.fillStyle = ctx.strokeStyle = colour(ending === "worker_died" ? "bad" : "ink");
    const ends = right < box.left + box.width, room = right - left;
    if (ends && room > 6 * scale) ctx.fillRect(right - 2 * scale, top, 2 * scale, tall);
    const text = `worker ${worker}${ends ? (ending === "worker_died" ? " ✗ died" : " stopped") : ""}`;
    ctx.textBaseline = "middle";
    if (ctx.measureText(text).width + 8 * scale < room) {
      ctx.fillText(text, left + 4 * scale, top + tall / 2);
    }
    ctx.fillStyle = colour("bad");
    for (const time of lost) {
      const x = plot.valToPos(time, "x", true);
      if (x >= left && x <= right) ctx.fillRect(x - scale, top + tall / 2, 2 * scale, tall / 2 + 2 * scale);
    }
  };
  const draw = (plot) => inside(plot, (ctx, scale, box) => {
    ctx.font = font(scale);
    ctx.textAlign = "left";
    recycles(plot, ctx, scale, box);
    shown.forEach((some, row) => some.forEach((life) => bar(plot, ctx, scale, box, life, row)));
    label(plot, ctx, scale, box);
  });
  return {
    height: bars + shown.length * LIFE + 36, data: [xs, [0, 0]], said: () => null,
    options: {
      padding: [2, RIGHT, 0, LEFT], axes: axes(), cursor: cursor(key), legend: { show: false },
      scales: { x: { time: false, range: (_, low, high) => bounded(line, low, high, xs) },
        y: { range: [0, 1] } },
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { draw: [verticals(line), draw] },
    },
  };
};
