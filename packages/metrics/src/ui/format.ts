const NO_NUMBER = "–";

/** 980, 12.3k, 4.1M. */
export function count(value: number | undefined): string {
  if (value === undefined) return NO_NUMBER;
  if (value < 10_000) return String(Math.round(value));
  return value < 1e6 ? `${short(value / 1000)}k` : `${short(value / 1e6)}M`;
}

export function perSecond(value: number | undefined): string {
  return value !== undefined && value > 0 && value < 10 ? String(Math.round(value * 10) / 10) : count(value);
}

/** Takes MiB. */
export function megabytes(mb: number | undefined): string {
  if (mb === undefined) return NO_NUMBER;
  return mb < 1000 ? `${mb < 10 ? short(mb) : Math.round(mb)} MB` : `${short(mb / 1024)} GB`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  return value < 1024 * 1024 ? `${short(value / 1024)} KB` : megabytes(value / 1024 / 1024);
}

export function percent(value: number | undefined): string {
  if (value === undefined) return NO_NUMBER;
  return value > 0 && value < 10 ? `${Math.round(value * 10) / 10} %` : `${Math.round(value)} %`;
}

/** 0.25 ms, 3 ms, 1.2 s, 4 min 5 s, 3 h 10 min. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return NO_NUMBER;
  if (ms < 1000) return `${ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${short(seconds)} s`;
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return two(Math.floor(whole / 60), "min", whole % 60, "s");
  const minutes = Math.floor(whole / 60);
  return minutes < 1440
    ? two(Math.floor(minutes / 60), "h", minutes % 60, "min")
    : two(Math.floor(minutes / 1440), "d", Math.floor((minutes % 1440) / 60), "h");
}

/** In whole seconds, which are enough for times that go on. */
export function ago(ms: number): string {
  return ms < 1000 ? "just now" : `${duration(Math.floor(ms / 1000) * 1000)} ago`;
}

export function clockTime(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function short(value: number): string {
  return value < 100 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}

function two(a: number, aUnit: string, b: number, bUnit: string): string {
  return b === 0 ? `${a} ${aUnit}` : `${a} ${aUnit} ${b} ${bUnit}`;
}
