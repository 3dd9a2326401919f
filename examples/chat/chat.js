/**
 * The page of the chat room. `arrokoth/browser` holds the connection and opens it again when it is
 * lost; here is what is shown.
 *
 * Everything that others wrote is set as text, never as markup.
 */
import { ArrokothSocket } from './arrokoth/index.js';

const LOG_ITEMS_MAX = 500;
/** What the page says when the connection ended for good; whoever joins again starts anew. */
const ENDINGS = {
  closed: 'you were disconnected',
  replaced: 'connected elsewhere',
  refused: 'not let in',
};

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
const socket = new ArrokothSocket(() => `${socketUrl}?name=${encodeURIComponent(name)}`);

let name = '';
let me = '';
let countdown = 0;
let presenceNumber = 0;
const shown = new Set();

nameField.value = sessionStorage.getItem('name') ?? '';
nameField.focus();

entrance.addEventListener('submit', (event) => {
  event.preventDefault();
  name = nameField.value.trim();
  if (name === '') return;
  sessionStorage.setItem('name', name);
  socket.connect();
  textField.focus();
});

composer.addEventListener('submit', (event) => {
  event.preventDefault();
  const text = textField.value.trim();
  if (text !== '' && socket.send(JSON.stringify({ type: 'say', text }))) textField.value = '';
});

socket.addEventListener('message', ({ data }) => take(eventOf(data)));
socket.addEventListener('status', ({ detail }) => {
  clearInterval(countdown);
  const ending = ENDINGS[detail.state];
  entrance.hidden = ending === undefined;
  composer.hidden = ending !== undefined;
  if (ending !== undefined) show('idle', ending);
  // An open connection is shown when the room has said hello.
  if (detail.state === 'connecting') show('waiting', 'connecting');
  if (detail.state === 'waiting') {
    showWaiting();
    countdown = setInterval(showWaiting, 250);
  }
});

function showWaiting() {
  show('waiting', `again in ${Math.ceil(socket.status.retryInMs / 1000)} s`);
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
