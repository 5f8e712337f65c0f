// The chart that is shown as a picture: an SVG that stands alone, with the colours it has on the page, or a PNG of it.

/** What of an element's look decides how it is drawn. */
const LOOKS = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "stroke-linecap",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
  "direction",
] as const;
/** Dots of a PNG for each of the page's. */
const SCALE = 2;
const EDGE = 12;

/** The chart on the page; undefined where its table is shown, or no chart at all. */
export function chartShown(): SVGSVGElement | undefined {
  return document.querySelector<SVGSVGElement>(".chart svg") ?? undefined;
}

/** The chart as a document of its own, on the ground that it has on the page. */
export function toSvg(chart: SVGSVGElement, title: string): string {
  const made = chart.cloneNode(true) as SVGSVGElement;
  const [own, copies] = [chart.querySelectorAll("*"), made.querySelectorAll("*")];
  own.forEach((element, index) => {
    const look = getComputedStyle(element);
    for (const name of LOOKS) copies[index]?.setAttribute(name, look.getPropertyValue(name));
    copies[index]?.removeAttribute("class");
  });
  made.querySelector(".cursor")?.remove();
  const [width, height] = [chart.width.baseVal.value, chart.height.baseVal.value];
  const ground = document.createElementNS(SVG, "rect");
  const face = getComputedStyle(chart.closest(".graph") ?? document.body).backgroundColor;
  for (const [name, value] of Object.entries({ width: "100%", height: "100%", x: -EDGE, y: -EDGE, fill: face }))
    ground.setAttribute(name, String(value));
  made.prepend(ground);
  const named = document.createElementNS(SVG, "title");
  named.textContent = title;
  made.prepend(named);
  const whole = [width + 2 * EDGE, height + 2 * EDGE];
  for (const name of ["tabindex", "aria-label", "class"]) made.removeAttribute(name);
  made.setAttribute("viewBox", `${-EDGE} ${-EDGE} ${whole.join(" ")}`);
  made.setAttribute("width", String(whole[0]));
  made.setAttribute("height", String(whole[1]));
  return new XMLSerializer().serializeToString(made);
}

const SVG = "http://www.w3.org/2000/svg";

/** The same as a PNG, twice as fine as the page. */
export async function toPng(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * SCALE;
  canvas.height = image.naturalHeight * SCALE;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return await new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob === null ? failed(new Error("the picture could not be made")) : done(blob)));
  });
}
