// Which page is shown: the part of the address after #.

/** Those of the rail. */
export const PAGES = ["home", "wallet", "network", "settings"] as const;
/** The day stands behind the sentence on Home. */
const ALL = [...PAGES, "activity"] as const;
export type Page = (typeof ALL)[number];

export class Route {
  page = $state<Page>(pageOf(location.hash));

  /** Follows the address until the returned function is called. */
  follow(): () => void {
    const read = () => (this.page = pageOf(location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }
}

export function addressOf(page: Page): string {
  return `#/${page}`;
}

function pageOf(hash: string): Page {
  const name = hash.replace(/^#\/?/, "").split("?")[0];
  return ALL.find((page) => page === name) ?? "home";
}
