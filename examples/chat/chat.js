/**
 * The page of the chat room: one WebSocket, opened again whenever it is lost.
 *
 * Everything that others wrote is set as text, never as markup.
 */
const LOG_ITEMS_MAX = 500;
const RECONNECT_FIRST_MS = 500;
const RECONNECT_MAX_MS = 30_000;

const find = (id) => document.getElementById(id);
const [log, state, presence] = [find('log'), find('state'), find('presence')];
const [entrance, nameField, composer, textField] = [
  find('entrance'),
  find('name'),
  find('composer'),
  find('text'),
];
const sendButton = composer.querySelector('button');
const socketUrl = document.querySelector('meta[name="websocket-url"]').content;

let name = '';
let me = '';
let socket = null;
let attempts = 0;
let retryTimer = 0;
let presenceNumber = 0;
const shown = new Set();

nameField.value = sessionStorage.getItem('name') ?? '';
nameField.focus();

entrance.addEventListener('submit', (event) => {
  event.preventDefault();
  name = nameField.value.trim();
  if (name === '') return;
  sessionStorage.setItem('name', name);
  entrance.hidden = true;
  composer.hidden = false;
  textField.focus();
  open();
});

composer.addEventListener('submit', (event) => {
  event.preventDefault();
  const text = textField.value.trim();
  if (text === '' || socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type: 'say', text }));
  textField.value = '';
});

// The network is back, or the tab is looked at again: no reason to wait any longer.
window.addEventListener('online', retryNow);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) retryNow();
});

function retryNow() {
  if (retryTimer === 0) return;
  attempts = 0;
  open();
}

function open() {
  clearInterval(retryTimer);
  retryTimer = 0;
  show('waiting', 'connecting');
  const opening = new WebSocket(`${socketUrl}?name=${encodeURIComponent(name)}`);
  socket = opening;
  opening.addEventListener('message', (event) => take(eventOf(event.data)));
  opening.addEventListener('close', () => {
    if (socket === opening) retryLater();
  });
}

/** Waits longer after each failure, and by chance, so that a crowd does not come back at once. */
function retryLater() {
  const longestMs = Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** attempts);
  const atMs = Date.now() + longestMs * (0.5 + Math.random() / 2);
  attempts += 1;
  const tick = () => {
    const leftMs = atMs - Date.now();
    if (leftMs <= 0) open();
    else show('waiting', `again in ${Math.ceil(leftMs / 1000)} s`);
  };
  retryTimer = setInterval(tick, 250);
  tick();
}

/** What is not one of the application's events was sent by hand, with curl say: it is shown as it is. */
function eventOf(data) {
  try {
    const event = JSON.parse(data);
    if (typeof event?.type === 'string') return event;
  } catch {
    // Plain words.
  }
  return { type: 'announcement', text: String(data) };
}

function take(event) {
  if (event.type === 'hello') {
    attempts = 0;
    me = event.you;
    // A restarted application counts from the beginning.
    presenceNumber = 0;
    show('open', 'connected');
    find('invitation')?.remove();
    event.history.forEach(addMessage);
  }
  if (event.type === 'message') addMessage(event);
  if (event.type === 'announcement') addNotice(event.text, 'announcement');
  if (event.type === 'joined' || event.type === 'left') addNotice(`${event.name} ${event.type}`);
  if (event.online !== undefined && event.n >= presenceNumber) {
    presenceNumber = event.n;
    presence.textContent = event.online === 1 ? 'only you are here' : `${event.online} people here`;
  }
}

function show(kind, words) {
  state.dataset.state = kind;
  state.textContent = words;
  sendButton.disabled = kind !== 'open';
}

function addMessage(message) {
  // After a new connection the history repeats what is already here.
  if (shown.has(message.id)) return;
  shown.add(message.id);
  const item = element('li', message.from === me ? 'message mine' : 'message');
  const avatar = element('span', 'avatar', initialsOf(message.name));
  avatar.setAttribute('aria-hidden', 'true');
  avatar.style.setProperty('--hue', String(hueOf(message.name)));
  const about = element('p', 'about');
  const time = element('time', '', new Date(message.at).toLocaleTimeString([], { timeStyle: 'short' }));
  time.dateTime = new Date(message.at).toISOString();
  about.append(element('b', '', message.name), ' ', time);
  item.append(avatar, about, element('p', 'words', message.text));
  add(item);
}

function addNotice(words, kind = '') {
  add(element('li', `notice ${kind}`.trim(), words));
}

function add(item) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(item);
  while (log.children.length > LOG_ITEMS_MAX) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function element(tag, className, text = '') {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.textContent = text;
  return made;
}

function initialsOf(fullName) {
  const words = fullName.split(' ').filter((word) => word !== '');
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join('');
}

function hueOf(fullName) {
  let sum = 0;
  for (const character of fullName) sum = (sum * 31 + character.codePointAt(0)) % 360;
  return sum;
}
