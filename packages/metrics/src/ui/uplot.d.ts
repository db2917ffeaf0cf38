/** The library as the server serves it, beside the page's own modules. */
export { default } from "uplot";
