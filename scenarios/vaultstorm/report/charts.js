"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const plots = [];
  const LEFT = 46, RIGHT = 26, LANE = 38, TEXT = 15, PAPER = 660;
  const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [14, 5]];
  let colours = {};

  const colour = (name) => {
    colours[name] ??= getComputedStyle(root).getPropertyValue("--" + name).trim();
    return colours[name];
  };
  const number = (value) => value.toLocaleString("en");
  const font = (scale) => `${Math.round(12 * scale)}px system-ui, "Liberation Sans", sans-serif`;
  const seconds = (value) => `${+value.toFixed(3)} s`;
  const duration = (ms) =>
    ms >= 1000 ? `${+(ms / 1000).toPrecision(3)} s` : `${+ms.toPrecision(3)} ms`;

  /* Where everything common to the charts of one variant is said. */
  const axes = (y) => [
    { stroke: () => colour("soft"), grid: { stroke: () => colour("rule"), width: 1 },
      ticks: { show: false }, size: 28, gap: 6, space: 70, font: font(1),
      values: (_, splits) => splits.map(seconds) },
    { show: false, ...y },
  ];
  const cursor = (key) => ({
    y: false, points: { show: false }, drag: { x: true, y: false }, sync: { key, scales: ["x", null] },
  });
  const inside = (plot, paint) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    paint(ctx, devicePixelRatio || 1, bbox);
    ctx.restore();
  };
  const bands = (line) => (plot) => inside(plot, (ctx, _, box) => {
    ctx.fillStyle = colour("band");
    ctx.globalAlpha = 0.16;
    for (const [from, until] of line.pauses) {
      const left = plot.valToPos(from, "x", true), right = plot.valToPos(until, "x", true);
      ctx.fillRect(left, box.top, Math.max(1, right - left), box.height);
    }
  });
  const verticals = (line) => (plot) => inside(plot, (ctx, scale, box) => {
    ctx.strokeStyle = colour("mark");
    for (const [time, , action] of line.marks) {
      const x = Math.round(plot.valToPos(time, "x", true)) + 0.5;
      ctx.lineWidth = action ? 1.5 * scale : scale;
      ctx.setLineDash(action ? [5 * scale, 3 * scale] : [scale, 3 * scale]);
      ctx.globalAlpha = action ? 0.8 : 0.45;
      ctx.beginPath();
      ctx.moveTo(x, box.top);
      ctx.lineTo(x, box.top + box.height);
      ctx.stroke();
    }
  });
  /* Text that lines and bars may pass behind. */
  const write = (ctx, text, x, y, scale, ink) => {
    const wide = ctx.measureText(text).width + 4 * scale;
    const left = ctx.textAlign === "right" ? x - wide + 2 * scale : x - 2 * scale;
    ctx.fillStyle = colour("page");
    ctx.globalAlpha = 0.75;
    ctx.fillRect(left, y - scale, wide, (TEXT - 1) * scale);
    ctx.globalAlpha = 1;
    ctx.fillStyle = ink;
    ctx.fillText(text, x, y);
  };
  const range = (line) => {
    const end = Math.max(line.last, (Math.floor(line.last / line.width) + 1) * line.width);
    const pad = (end - line.first) * 0.012;
    return [line.first - pad, end + pad];
  };

  /* One lane for arrivals and one for each outcome, each with its own scale and its own words. */
  const lanes = (line, key) => {
    const last = Math.floor(line.last / line.width) + 1;
    const xs = Array.from({ length: last + 1 }, (_, bin) => bin * line.width);
    const dense = line.series.map((series) => {
      const counts = new Array(xs.length).fill(0);
      for (const [bin, count] of series.bins) counts[bin] = count;
      return counts;
    });
    const draw = (plot) => inside(plot, (ctx, scale, box) => {
      const height = box.height / line.series.length;
      ctx.font = font(scale);
      ctx.textBaseline = "top";
      line.series.forEach((series, lane) => {
        const peak = Math.max(...dense[lane], 1);
        const total = dense[lane].reduce((sum, count) => sum + count, 0);
        const top = box.top + lane * height, floor = top + height - 3 * scale;
        const tall = height - (TEXT + 5) * scale;
        ctx.fillStyle = colour("rule");
        ctx.fillRect(box.left, floor, box.width, scale);
        ctx.fillStyle = colour(series.family);
        for (const [bin, count] of series.bins) {
          const left = Math.round(plot.valToPos(bin * line.width, "x", true));
          const right = Math.round(plot.valToPos((bin + 1) * line.width, "x", true));
          const gap = right - left > 5 * scale ? scale : 0;
          const high = Math.max(1.5 * scale, (tall * count) / peak);
          ctx.fillRect(left, floor - high, Math.max(scale, right - left - gap), high);
        }
        ctx.textAlign = "left";
        const named = `${series.name} ${number(total)}`;
        write(ctx, named, box.left + 2 * scale, top + scale, scale, colour(series.family));
        ctx.textAlign = "right";
        const most = `at most ${number(peak)}`;
        write(ctx, most, box.left + box.width - 2 * scale, top + scale, scale, colour("soft"));
      });
    });
    const said = (plot, index) => {
      const parts = line.series.map((series, lane) => [series.name, dense[lane][index]])
        .filter(([, count]) => count).map(([name, count]) => `${number(count)} ${name}`);
      return `${seconds(xs[index])}: ${parts.join(", ") || "nothing"}`;
    };
    return {
      height: line.series.length * LANE + 34, data: [xs, ...dense], said,
      options: {
        padding: [2, RIGHT, 0, LEFT], axes: axes(), cursor: cursor(key), legend: { show: false },
        scales: { x: { time: false, range: (_, low, high) => bounded(line, low, high, xs) },
          y: { range: [0, 1] } },
        series: [{}, ...dense.map(() => ({ paths: () => null, points: { show: false } }))],
        hooks: { drawClear: [bands(line)], draw: [verticals(line), draw] },
      },
    };
  };
  /* uPlot asks for a range of the data's own; the variant's whole range is wanted instead. */
  const bounded = (line, low, high, xs) =>
    low === xs[0] && high === xs[xs.length - 1] ? range(line) : [low, high];

  /* Columns of numbers that stay as they are until they change. */
  const steps = (line, key, given, names, colours) => {
    const close = (values) => [...values, values[values.length - 1]];
    const times = line.held[0], columns = given.map(close);
    const xs = [...times, Math.max(line.last, times[times.length - 1])];
    const stepped = uPlot.paths.stepped({ align: 1 });
    const series = columns.map((_, n) => ({
      stroke: () => colour(colours[n]), width: 2, dash: [[], [6, 4], [2, 3]][n], paths: stepped,
      points: { show: false },
    }));
    return {
      height: 150, data: [xs, ...columns],
      said: (plot, index) => `${seconds(xs[index])}: ` +
        columns.map((column, n) => `${number(column[index])} ${names[n]}`).join(", "),
      options: {
        padding: [8, RIGHT, 0, 0], cursor: cursor(key), legend: { show: false },
        axes: axes({ show: true, size: LEFT, gap: 4, font: font(1), space: 26,
          stroke: () => colour("soft"), ticks: { show: false },
          grid: { stroke: () => colour("rule"), width: 1 }, incrs: [1, 2, 5, 10, 20, 50, 100, 200,
            500, 1000, 2000, 5000, 10000, 20000, 50000, 100000] }),
        scales: { x: { time: false, range: (_, low, high) => bounded(line, low, high, xs) },
          y: { range: (_, low, high) => [0, Math.max(1, high * 1.08)] } },
        series: [{}, ...series],
        hooks: { drawClear: [bands(line)], draw: [verticals(line)] },
      },
    };
  };
  const held = (line, key) => {
    const [, queued, free, waiting] = line.held;
    const columns = [queued, free, ...(waiting.some(Boolean) ? [waiting] : [])];
    return steps(line, key, columns,
      ["waiting for accept", "free slots", "requests waiting for a worker"],
      ["queued", "free", "waiting"]);
  };
  const vault = (line, key) => steps(line, key, line.vault,
    ["interface entries", "ISAPI threads that wait for one"], ["interfaces", "threads"]);

  /* The kernel's own queue, in front of a foreign server. */
  const kernel = (line, key) => {
    const [times, ...columns] = line.kernel;
    return steps({ ...line, held: [times], pauses: [] }, key, columns,
      ["waiting for the server's accept", "backlog"], ["queued", "free"]);
  };

  /* One port of a DCOM burst: its own queue, and its own pauses. */
  const port = (which) => (line, key) => {
    const { held: [times, ...columns], pauses } = line.sides[which];
    return steps({ ...line, held: [times], pauses }, key, columns,
      ["waiting for accept", "free slots"], ["queued", "free"]);
  };

  const lives = livesChart({
    LEFT, RIGHT, axes, bounded, colour, cursor, font, inside, number, verticals, write,
  });

  const curves = () => {
    const longest = Math.max(...data.curves.map((curve) => curve.ms.length), 2);
    const xs = Array.from({ length: longest }, (_, n) => n * data.step);
    const columns = data.curves.map((curve) =>
      xs.map((_, n) => (curve.ms[n] === undefined ? null : Math.max(curve.ms[n], 0.001))));
    const splits = data.nines.map((_, n) => (n < 2 ? n * Math.log10(2) : n - 1));
    const draw = (plot) => {
      const { ctx } = plot, scale = devicePixelRatio || 1, taken = [];
      ctx.save();
      ctx.font = `600 ${font(scale)}`;
      ctx.textBaseline = "middle";
      data.curves.forEach((curve, n) => {
        if (!curve.ms.length) return;
        let x = plot.valToPos((curve.ms.length - 1) * data.step, "x", true) + 7 * scale;
        const y = plot.valToPos(columns[n][curve.ms.length - 1], "y", true);
        while (taken.some(([a, b]) => Math.abs(a - x) < 12 * scale && Math.abs(b - y) < 12 * scale)) {
          x += 12 * scale;
        }
        taken.push([x, y]);
        ctx.fillStyle = colour(`c${(n % 6) + 1}`);
        ctx.fillText(String(n + 1), x, y);
      });
      ctx.restore();
    };
    return {
      height: 280, data: [xs, ...columns],
      said: (plot, index) => {
        const percent = +(100 * (1 - 10 ** -xs[index])).toPrecision(6);
        const parts = data.curves.filter((curve) => curve.ms[index] !== undefined)
          .map((curve) => `${curve.name} ${duration(curve.ms[index])}`);
        return `${percent} % of answers within: ${parts.join(", ")}`;
      },
      options: {
        padding: [8, RIGHT + 30, 0, 0], legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false }, points: { size: 6 } },
        axes: [
          { stroke: () => colour("soft"), grid: { stroke: () => colour("rule"), width: 1 },
            ticks: { show: false }, size: 28, gap: 6, font: font(1),
            splits: (plot) => splits.filter((x) => x <= plot.scales.x.max),
            values: (_, at) => at.map((x) => data.nines[splits.indexOf(x)]) },
          { stroke: () => colour("soft"), grid: { stroke: () => colour("rule"), width: 1 },
            ticks: { show: false }, size: 62, gap: 4, font: font(1),
            values: (_, at) => at.map((ms) =>
              ms && Math.abs(Math.log10(ms) % 1) < 1e-9 ? duration(ms) : "") },
        ],
        scales: { x: { time: false }, y: { distr: 3, log: 10 } },
        series: [{}, ...data.curves.map((_, n) => ({
          stroke: () => colour(`c${(n % 6) + 1}`), width: 2, dash: DASHES[n % 6],
          points: { show: false }, spanGaps: false,
        }))],
        hooks: { draw: [draw] },
      },
    };
  };

  const kinds = { lanes, held, vault, kernel, lives, curves, resolver: port("resolver"), exporter: port("exporter") };
  const wide = (box) => (root.classList.contains("paper") ? PAPER : Math.floor(box.clientWidth));
  const build = (box) => {
    const index = box.dataset.line;
    const chart = kinds[box.dataset.chart](data.lines[index], `line-${index}`);
    const readout = box.closest(".charts").querySelector(".readout");
    const speak = (plot) => {
      const at = plot.cursor.idx;
      const text = at === null || at === undefined ? "" : chart.said(plot, at);
      if (text !== null && (text || plot.cursor.left < 0)) readout.textContent = text;
    };
    chart.options.hooks.setCursor = [(plot) => plot.cursor.event && speak(plot)];
    const tall = typeof chart.height === "function" ? chart.height : () => chart.height;
    const size = { width: wide(box), height: tall(wide(box)) };
    const plot = new uPlot({ ...chart.options, ...size }, chart.data, box);
    plots.push({ plot, box, tall });
  };

  const fit = () => {
    colours = {};
    for (const { plot, box, tall } of plots) {
      const width = wide(box);
      if (width === plot.width) plot.redraw(false, true);
      else plot.setSize({ width, height: tall(width) });
    }
  };
  const paper = (printing) => {
    root.classList.toggle("paper", printing);
    for (const story of document.querySelectorAll(".story")) {
      if (printing) story.dataset.was = story.open ? "open" : "";
      story.open = printing || story.dataset.was === "open";
    }
    fit();
  };

  document.querySelectorAll(".chart").forEach(build);
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", fit);
  addEventListener("beforeprint", () => paper(true));
  addEventListener("afterprint", () => paper(false));
})();
