// Finds while one types. Without this script, or when an answer does not come, the form loads its page as ever.
const form = document.querySelector("form[data-fragment]");
const target = document.getElementById(form.dataset.fragment);
const status = document.getElementById("messages");
const PAUSE = 200;
let waiting;
let asking = new AbortController();

async function find() {
  asking.abort();
  asking = new AbortController();
  const page = new URL(form.action);
  page.search = new URLSearchParams(new FormData(form));
  const fragment = new URL(page);
  fragment.searchParams.set("fragment", form.dataset.fragment);
  try {
    const response = await fetch(fragment, { signal: asking.signal });
    if (!response.ok) return;
    target.innerHTML = await response.text();
    history.replaceState(null, "", page);
    // The live region says what a glance at the page shows.
    status.textContent = (target.querySelector("h2") ?? target.querySelector(".notice"))?.textContent ?? "";
    // Whoever chooses a language now comes back to this search.
    document.querySelector(".footer [name=next]").value = page.pathname + page.search;
  } catch (error) {
    if (error.name !== "AbortError") console.warn(error);
  }
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(find, PAUSE);
});
