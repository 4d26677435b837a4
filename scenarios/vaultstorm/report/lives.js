"use strict";
const ENDINGS = { worker_died: "✗ died", worker_killed: "✗ killed", worker_orphaned: "let go of" };
/* Names of moments in as many rows as they need, the event log's numbers first, then the server's
   own and the scenario's; below them the recycles, and then one bar for each worker's life:
   starting, serving, told to shut down. */
const livesChart = (kit) => (line, key) => {
  const { LEFT, RIGHT, axes, bounded, colour, cursor, font, inside, number, verticals, write } = kit;
  const ROW = 17, LIFE = 20, TICK = 5, NAMES_MAX = 10, LIVES_MAX = 12;
  const rows = [];
  for (const life of line.lives) {
    const from = life[1] ?? -Infinity;
    let row = rows.findIndex((bars) => (bars[bars.length - 1][4] ?? Infinity) <= from);
    if (row < 0) row = rows.push([]) - 1;
    rows[row].push(life);
  }
  const shown = rows.slice(0, LIVES_MAX);
  const hidden = rows.slice(LIVES_MAX).reduce((sum, some) => sum + some.length, 0);
  const xs = [line.first, line.last];
  const rank = ([, text, action]) => (action ? 2 : /^event \d/.test(text) ? 0 : 1);
  const ranked = [...line.marks].sort((a, b) => rank(a) - rank(b) || a[0] - b[0]);
  const ruler = document.createElement("canvas").getContext("2d");
  /* Gives each name a place [text, left, row], in pixels of the page, and says of every group of
     those for which there is no room how many they are. */
  const laid = (wide, at) => {
    ruler.font = font(1);
    const taken = [], places = [], without = [];
    for (const [time, text] of ranked) {
      const x = at(time), long = ruler.measureText(text).width;
      if (x < 0 || x > wide) continue;
      const left = Math.min(Math.max(x + 4, 0), wide - long), right = left + long + 8;
      let row = taken.findIndex((some) => some.every(([a, b]) => right <= a || b <= left));
      if (row < 0 && taken.length < NAMES_MAX) row = taken.push([]) - 1;
      if (row < 0) {
        without.push(left);
      } else {
        taken[row].push([left, right]);
        places.push([text, left, row]);
      }
    }
    const groups = [];
    for (const left of without.sort((a, b) => a - b)) {
      const group = groups[groups.length - 1];
      if (group && left < group[0] + 70) group[1] += 1;
      else groups.push([Math.min(left, wide - 60), 1]);
    }
    for (const [left, many] of groups) places.push([`+${number(many)} more`, left, taken.length]);
    return { places, rows: taken.length + (groups.length ? 1 : 0) };
  };
  const ticks = line.recycles.length ? ROW : 0;
  let names = 0, bars = 0;
  const height = (width) => {
    const wide = width - LEFT - RIGHT, [from, until] = bounded(line, ...xs, xs);
    names = laid(wide, (time) => ((time - from) / (until - from)) * wide).rows;
    bars = names * ROW + ticks;
    return bars + (shown.length + (hidden ? 1 : 0)) * LIFE + 36;
  };
  const label = (plot, ctx, scale, box) => {
    const at = (time) => (plot.valToPos(time, "x", true) - box.left) / scale;
    ctx.textBaseline = "top";
    for (const [text, left, row] of laid(box.width / scale, at).places) {
      const y = box.top + (Math.min(row, names - 1) * ROW + 1) * scale;
      write(ctx, text, box.left + left * scale, y, scale, colour("ink"));
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
    const text = `${number(all)} worker${all === 1 ? "" : "s"} recycled`;
    write(ctx, text, box.left + 2 * scale, top + 2 * scale, scale, colour("soft"));
  };
  const bar = (plot, ctx, scale, box, [worker, from, serving, stopping, until, ending, lost], row) => {
    const clip = (x) => Math.min(Math.max(x, box.left), box.left + box.width);
    const at = (time, or) => (time === null ? or : clip(plot.valToPos(time, "x", true)));
    const left = at(from, box.left), right = at(until, box.left + box.width);
    const top = box.top + (bars + row * LIFE + 2) * scale, tall = (LIFE - TICK - 1) * scale;
    if (right <= left) return;
    const gone = ENDINGS[ending] ?? "stopped";
    const last = at(stopping, right), first = Math.min(at(serving, from === null ? left : last), last);
    ctx.fillStyle = colour("starting");
    ctx.fillRect(left, top, first - left, tall);
    ctx.fillStyle = colour("life");
    ctx.fillRect(first, top, last - first, tall);
    ctx.fillStyle = colour("stopping");
    if (stopping !== null) ctx.fillRect(last, top, Math.max(right - last, scale), tall);
    ctx.fillStyle = ctx.strokeStyle = colour(gone.startsWith("✗") ? "bad" : "ink");
    const ends = right < box.left + box.width, room = right - left;
    if (ends && room > 6 * scale) ctx.fillRect(right - 2 * scale, top, 2 * scale, tall);
    const text = `worker ${worker}${ends ? ` ${gone}` : ""}`;
    ctx.textBaseline = "middle";
    if (ctx.measureText(text).width + 8 * scale < room) {
      ctx.fillText(text, left + 4 * scale, top + tall / 2);
    }
    ctx.fillStyle = colour("bad");
    for (const time of lost) {
      const x = plot.valToPos(time, "x", true);
      if (x >= left && x <= right) ctx.fillRect(x - scale, top + tall, 2 * scale, TICK * scale);
    }
  };
  const draw = (plot) => inside(plot, (ctx, scale, box) => {
    ctx.font = font(scale);
    ctx.textAlign = "left";
    recycles(plot, ctx, scale, box);
    shown.forEach((some, row) => some.forEach((life) => bar(plot, ctx, scale, box, life, row)));
    if (hidden) {
      ctx.textBaseline = "middle";
      const text = `+${number(hidden)} more worker${hidden === 1 ? "" : "s"}`;
      ctx.fillStyle = colour("soft");
      ctx.fillText(text, box.left + 4 * scale, box.top + (bars + (shown.length + 0.5) * LIFE) * scale);
    }
    label(plot, ctx, scale, box);
  });
  return {
    height, data: [xs, [0, 0]], said: () => null,
    options: {
      padding: [2, RIGHT, 0, LEFT], axes: axes(), cursor: cursor(key), legend: { show: false },
      scales: { x: { time: false, range: (_, low, high) => bounded(line, low, high, xs) },
        y: { range: [0, 1] } },
      series: [{}, { paths: () => null, points: { show: false } }],
      hooks: { draw: [verticals(line), draw] },
    },
  };
};
