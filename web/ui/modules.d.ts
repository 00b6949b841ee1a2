// What tools/web makes of imports that are no TypeScript.

/** A style sheet becomes part of the page's own. */
declare module "*.css";

/** The script of an AudioWorklet, built, as text for a Blob URL. */
declare module "*?worklet" {
  const source: string;
  export default source;
}
