/** The contrast of two colours as browsers say them: `rgb(20, 80, 95)`. @see WCAG 2.2, "contrast ratio" */
export function contrastOf(first: string, second: string): number {
  const [low = 0, high = 0] = [luminanceOf(first), luminanceOf(second)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminanceOf(color: string): number {
  const channels = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(color);
  if (!channels) throw new Error(`${color} is not an opaque colour`);
  const [red = 0, green = 0, blue = 0] = channels
    .slice(1)
    .map((channel) => Number(channel) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
