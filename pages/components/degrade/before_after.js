// Two pictures over each other; a range input, laid over both, moves the divider between them.
// A range input brings the keyboard (arrows, Home, End), touch and screen readers along for free.
export default function ({ data, parentElement }) {
  const find = (name) => parentElement.querySelector(name);
  const range = find("input");
  const frame = find(".frame");
  find(".before").src = data.before;
  find(".after").src = data.after;
  find(".before").alt = `Before: ${data.alt}`;
  find(".after").alt = `After ${data.label}: ${data.alt}`;
  find(".tag.right").textContent = data.label;
  frame.style.aspectRatio = `${data.width} / ${data.height}`;
  // As wide as the page allows, but never so tall that the divider leaves the screen.
  frame.style.maxWidth = `min(100%, calc(72vh * ${data.width / data.height}))`;
  const move = () => frame.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", move);
  move();
  return () => range.removeEventListener("input", move);
}
