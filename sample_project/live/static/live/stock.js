// Keeps the numbers of the table right, over a web socket that is opened again whenever it closes.
const table = document.querySelector("#live-stock");
const state = document.querySelector("#live-state");
const news = document.querySelector("#live-news");

// What the server says when there is no use in coming back: see Close in live/consumers.py.
const FINAL = new Set([4401, 4403, 4503]);
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
let attempts = 0;
let timer = null;

function say(word) {
  state.dataset.state = word;
  state.textContent = state.dataset[word];
}

function apply({ book, quantity }, silent) {
  const row = table.querySelector(`tr[data-book="${book}"]`);
  const copies = row?.querySelector(".number");
  if (!copies || copies.textContent === String(quantity)) return;
  copies.textContent = quantity;
  row.classList.add("moved");
  requestAnimationFrame(() => requestAnimationFrame(() => row.classList.remove("moved")));
  if (!silent) {
    const title = row.querySelector("a").textContent;
    news.textContent = news.dataset.left.replace("{title}", title).replace("{quantity}", quantity);
  }
}

function connect() {
  clearTimeout(timer);
  timer = null;
  // The page's own scheme, host and prefix, whatever proxy is in between.
  const url = new URL(table.dataset.socket, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.onopen = () => socket.send(JSON.stringify({ action: "subscribe", books: "all" }));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type !== "stock") return;
    if (message.snapshot) {
      attempts = 0;
      say("connected");
    }
    for (const change of message.changes) apply(change, message.snapshot);
  };
  socket.onclose = ({ code }) => {
    if (FINAL.has(code)) {
      say("off");
      return;
    }
    say("disconnected");
    // Twice as long each time, and not all pages at once when a server comes back.
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempts++);
    timer = setTimeout(connect, wait * (0.5 + Math.random() / 2));
  };
}

if (table.dataset.socket) {
  connect();
  // No need to wait when the network is back.
  addEventListener("online", () => timer !== null && connect());
}
