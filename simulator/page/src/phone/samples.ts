// A picture and a recording, made here, for whoever has none at hand.

const SIZE = 480;

/** A landscape that is another one each time, as JPEG in base64. */
export async function sampleImage(): Promise<string> {
  const canvas = document.createElement("canvas");
  canvas.width = SIZE;
  canvas.height = SIZE * 0.75;
  const pen = canvas.getContext("2d")!;
  const hue = Math.floor(Math.random() * 360);
  const sky = pen.createLinearGradient(0, 0, 0, canvas.height);
  sky.addColorStop(0, `hsl(${hue} 70% 62%)`);
  sky.addColorStop(1, `hsl(${hue + 40} 85% 86%)`);
  pen.fillStyle = sky;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#fff8";
  pen.beginPath();
  pen.arc(SIZE * (0.2 + Math.random() * 0.6), 110, 46, 0, 7);
  pen.fill();
  for (let layer = 0; layer < 3; layer++) hill(pen, canvas, layer, hue);
  return canvas.toDataURL("image/jpeg", 0.85).split(",")[1]!;
}

function hill(pen: CanvasRenderingContext2D, canvas: HTMLCanvasElement, layer: number, hue: number) {
  const phase = Math.random() * 6;
  pen.fillStyle = `hsl(${hue + 150} ${38 + layer * 6}% ${46 - layer * 11}%)`;
  pen.beginPath();
  pen.moveTo(0, canvas.height);
  for (let x = 0; x <= canvas.width; x += 8) {
    pen.lineTo(x, canvas.height * (0.55 + layer * 0.13) + Math.sin(x / (80 - layer * 14) + phase) * (34 - layer * 7));
  }
  pen.lineTo(canvas.width, canvas.height);
  pen.fill();
}

/** Two seconds of AMR whose frames say "no data": silence that every decoder accepts. */
export function sampleVoice(): string {
  const NO_DATA = "\x7c";
  return btoa(`#!AMR\n${NO_DATA.repeat(100)}`);
}
