/** A name for this device that its user recognises: "Firefox on Linux". */
export function deviceLabel(userAgent: string): string {
  const browser = first(userAgent, [
    ["Edg/", "Edge"],
    ["OPR/", "Opera"],
    ["Firefox/", "Firefox"],
    ["Chrome/", "Chrome"],
    ["Safari/", "Safari"],
  ]);
  const system = first(userAgent, [
    ["Android", "Android"],
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Windows", "Windows"],
    ["Mac OS", "macOS"],
    ["CrOS", "ChromeOS"],
    ["Linux", "Linux"],
  ]);
  return [browser ?? "Browser", system].filter((s) => s !== undefined).join(" on ");
}

function first(text: string, names: readonly (readonly [mark: string, name: string])[]): string | undefined {
  return names.find(([mark]) => text.includes(mark))?.[1];
}
