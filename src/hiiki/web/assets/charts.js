// Draws <div data-chart='{…ECharts option…}'>; the table beside it says the same in words.

import * as echarts from "./vendor/echarts.js";

const PALETTE = ["#0f6b53", "#d58a2b", "#3f6fb0", "#b93a26", "#7a5aa6", "#5f8f3e", "#8a8f92"];
const FONT = getComputedStyle(document.body).fontFamily;

/** @type {WeakMap<Element, {chart: any, option: string}>} */
const drawn = new WeakMap();
const resized = new ResizeObserver((entries) => {
  for (const entry of entries) {
    const chart = drawn.get(entry.target)?.chart;
    chart?.resize();
    if (chart) fitFlows(chart);
  }
});

/**
 * Gives the names at both ends of a flow half of its width each: on a phone they would else meet.
 * @param {any} chart
 */
function fitFlows(chart) {
  const { series } = chart.getOption();
  if (!series?.some((/** @type {any} */ one) => one.type === "sankey")) return;
  const label = { width: Math.max(64, Math.floor(chart.getWidth() / 2) - 40), overflow: "break", lineHeight: 13 };
  chart.setOption({ series: series.map((/** @type {any} */ one) => (one.type === "sankey" ? { label } : {})) });
}

echarts.registerTheme("hiiki", {
  color: PALETTE,
  textStyle: { fontFamily: FONT, color: "#1f2a2e" },
  categoryAxis: {
    axisLine: { lineStyle: { color: "#c9c5b8" } },
    axisTick: { show: false },
    axisLabel: { color: "#566267" },
    splitLine: { show: false },
  },
  valueAxis: {
    axisLine: { show: false },
    axisLabel: { color: "#566267" },
    splitLine: { lineStyle: { color: "#ebe8df" } },
  },
  timeAxis: {
    axisLine: { lineStyle: { color: "#c9c5b8" } },
    axisLabel: { color: "#566267" },
    splitLine: { show: false },
  },
  legend: { textStyle: { color: "#566267" }, icon: "roundRect", itemWidth: 12, itemHeight: 12 },
  bar: { barMaxWidth: 36 },
  line: { symbolSize: 6 },
});

/** @param {ParentNode} root */
export function drawCharts(root) {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-chart]"))) {
    const option = element.dataset.chart ?? "{}";
    const before = drawn.get(element);
    if (before?.option === option) continue;
    const chart = before?.chart ?? echarts.init(element, "hiiki", { renderer: "svg" });
    const wanted = JSON.parse(option);
    // A legend that does not fit is leafed through; it never runs into the chart.
    if (wanted.legend && !wanted.legend.type) wanted.legend.type = "scroll";
    chart.setOption(
      {
        animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 400,
        grid: { left: 8, right: 16, top: 28, bottom: 8, containLabel: true },
        ...wanted,
      },
      true,
    );
    // HTML tooltips would need inline styles; rich text is drawn by ECharts itself.
    chart.setOption({ tooltip: { renderMode: "richText", confine: true } });
    fitFlows(chart);
    drawn.set(element, { chart, option });
    resized.observe(element);
  }
}
