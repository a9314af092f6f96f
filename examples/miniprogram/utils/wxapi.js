/**
 * WxApi for Mini Programs, in one file: copy it, nothing else of this folder is needed.
 *
 *     const { WxApi } = require('./utils/wxapi.js')
 *     const api = new WxApi({ baseUrl: 'https://wx.example.com' })
 *
 *     const task = api.chat({ message: '你好', onText: text => this.setData({ text }) })
 *     const { reply, conversationId } = await task.answer
 *
 * What it takes care of:
 *
 * - the login: silent, once for all who need it at the same time, and again when the session has ended;
 * - the stream: bytes cut anywhere, also inside a character, and connections that break: the answer goes on where it was;
 * - phones that cannot stream: the same call waits for the whole answer;
 * - asking twice: a question has a name (`messageId`), and under one name the model is asked once.
 *
 * Base library 2.20 or newer, no dependency. Switch on 增强编译 (`"enhance": true`) for old phones.
 *
 * @typedef {object} Options
 * @property {string} baseUrl  where the Worker is, as `https://wx.example.com`
 * @property {() => Promise<string>} [getCode]  where the login code comes from; `wx.login` if it is not said
 * @property {boolean} [streaming]  false: never stream, always wait for the whole answer
 * @property {string} [storageKey]  under which the session is kept; `wxapi.session` if it is not said
 *
 * @typedef {object} Question
 * @property {string} message  1 to 2000 UTF-16 units
 * @property {string | null} [conversationId]  null: goes on with what the person is talking about in WeChat's own chat, or
 *   begins a conversation; `'new'`: always begins one
 * @property {string} [messageId]  the question's name, at most 64 characters; give the same one again to repeat a question
 *   whose answer was lost
 * @property {(conversationId: string) => void} [onBegin]  the question has arrived
 * @property {(text: string) => void} [onText]  all of the answer that there is so far
 * @property {(state: 'waiting' | 'writing' | 'resuming') => void} [onState]
 *
 * @typedef {object} Answer
 * @property {string} reply  the whole answer, or what there was of it when it was stopped
 * @property {string | null} conversationId
 * @property {number | null} tokensUsed
 * @property {boolean} stopped  whether `stop()` ended it
 *
 * @typedef {object} ChatTask
 * @property {Promise<Answer>} answer  rejects with a WxApiError
 * @property {() => void} stop  the person has read enough. The Worker finishes the answer all the same and keeps it
 *
 * @typedef {object} WxApiError  an Error
 * @property {number} status  of HTTP; 0 if there is no connection
 * @property {string} message  the Worker's own word for it, not for people
 * @property {number} [retryAfter]  seconds after which it may be tried again, with status 429
 *
 * @typedef {{ id: string, title: string, created_at: number, updated_at: number, status: 'idle' | 'pending' | 'failed' }} Conversation
 * @typedef {{ role: 'user' | 'assistant', content: string, created_at: number }} Message
 */

/** The longest message in UTF-16 units, which is what `String.length` counts. */
const MAX_MESSAGE = 2000

/** Milliseconds between one failed connection and the next. Whoever gets anything begins from the first again. */
const RETRIES = [500, 1000, 2000, 4000, 8000]

/** Milliseconds between two looks at an answer that is not ready; the last one again and again. */
const POLLS = [1000, 2000, 3000, 5000, 8000, 10000]

/** How long to wait for one answer, in milliseconds. */
const PATIENCE = 10 * 60 * 1000

/**
 * Milliseconds without a byte after which a stream counts as broken: the Worker sends something every 15 s, and some
 * iPhones do not tell when the connection is gone.
 */
const SILENCE = 40000

/** A connection that lasted so long, in milliseconds, was a good one, though nothing of the answer came yet. */
const GOOD = 10000

/** WeChat ends every request after 60 s. */
const TIMEOUT = 60000

class WxApi {
  /** @param {Options} options */
  constructor(options) {
    this.baseUrl = options.baseUrl.replace(/\/+$/, '')
    this.getCode = options.getCode || wxLogin
    this.storageKey = options.storageKey || 'wxapi.session'
    /** Whether answers come piece by piece on this phone. */
    this.streaming = options.streaming !== false && wx.canIUse('request.object.enableChunked')
    this._session = wx.getStorageSync(this.storageKey) || ''
    this._login = null
    surroundings()
  }

  // ---- the login

  /** Whether there is a session; the Worker may have ended it meanwhile. */
  get loggedIn() {
    return this._session !== ''
  }

  /**
   * The session, after a silent login if there is none. Every other call does this by itself.
   * @returns {Promise<string>}
   */
  session() {
    if (this._session) return Promise.resolve(this._session)
    if (!this._login) {
      const done = () => { this._login = null }
      this._login = this._logIn()
      this._login.then(done, done)
    }
    return this._login
  }

  async _logIn() {
    const code = await this.getCode()
    const { sessionKey } = await this._json('POST', '/api/auth/wx-login', { code }, '')
    this._keep(sessionKey)
    return sessionKey
  }

  /** Ends the session. The next call logs in again. */
  async logout() {
    const session = this._session
    if (!session) return
    try {
      await this._json('POST', '/api/auth/logout', {}, session)
    } catch (error) {
      if (error.status !== 401) throw error
    }
    this._forget(session)
  }

  /** Does `work` with a session; if the Worker does not know it any more, once again with a new one. */
  async _withSession(work) {
    const session = await this.session()
    try {
      return await work(session)
    } catch (error) {
      if (error.status !== 401) throw error
      this._forget(session)
      return work(await this.session())
    }
  }

  _keep(session) {
    this._session = session
    wx.setStorageSync(this.storageKey, session)
  }

  /** Unless somebody else has renewed it already. */
  _forget(session) {
    if (this._session !== session) return
    this._session = ''
    wx.removeStorageSync(this.storageKey)
  }

  // ---- the chat

  /**
   * Asks something. On phones that cannot stream `onText` is called once, with the whole answer.
   * @param {Question} question
   * @returns {ChatTask}
   */
  chat(question) {
    return new Turn(this, { ...question, messageId: question.messageId || newMessageId() }, byRequest).task
  }

  /**
   * The same through a WebSocket (`wx.connectSocket`), for networks that hold back pieces of HTTP answers. The domain has to
   * be in the console as a socket domain, too.
   * @param {Question} question
   * @returns {ChatTask}
   */
  chatBySocket(question) {
    return new Turn(this, { ...question, messageId: question.messageId || newMessageId() }, bySocket).task
  }

  /**
   * The last answer of a conversation, also while it is being written: for who comes back to it.
   * @param {{ conversationId: string, onText?: Question['onText'], onState?: Question['onState'] }} which
   * @returns {ChatTask}
   */
  resume(which) {
    return new Turn(this, which, byRequest).task
  }

  // ---- conversations

  /**
   * The newest first.
   * @param {{ limit?: number, after?: string }} [page]  1 to 100; `after` is the `next` of the page before
   * @returns {Promise<{ conversations: Conversation[], next: string | null }>}
   */
  conversations(page) {
    const { limit = 20, after = '' } = page || {}
    return this.request('GET', `/api/conversations?limit=${limit}${after && `&after=${encodeURIComponent(after)}`}`)
  }

  /**
   * @param {string} id
   * @returns {Promise<Conversation & { messages: Message[] }>}
   */
  conversation(id) {
    return this.request('GET', `/api/conversations/${encodeURIComponent(id)}`)
  }

  /** @param {string} id */
  deleteConversation(id) {
    return this.request('DELETE', `/api/conversations/${encodeURIComponent(id)}`)
  }

  deleteConversations() {
    return this.request('DELETE', '/api/conversations')
  }

  // ---- the person's data

  /** Everything that the Worker knows of this person. */
  exportData() {
    return this.request('GET', '/api/export')
  }

  /** Deletes all of it, and the session. */
  async forgetMe() {
    await this.request('POST', '/api/forget-me', {})
    this._forget(this._session)
  }

  // ---- WeChat's services

  /**
   * The phone number behind the code that `bindgetphonenumber` gives.
   * @param {string} code
   * @returns {Promise<{ phoneNumber: string, purePhoneNumber: string, countryCode: string }>}
   */
  phoneNumber(code) {
    return this.request('POST', '/api/wx/phone', { code })
  }

  /**
   * Opens `encryptedData`. Status 409: log out, get the data from WeChat once more, and try again.
   * @param {{ encryptedData: string, iv: string }} sealed
   */
  decrypt(sealed) {
    return this.request('POST', '/api/wx/decrypt', sealed)
  }

  /**
   * Whether a text is allowed (`msgSecCheck`).
   * @param {string} content
   * @returns {Promise<{ suggest: 'pass' | 'review' | 'risky', label: number }>}
   */
  checkText(content) {
    return this.request('POST', '/api/wx/check', { content })
  }

  /**
   * Sends a subscribe message to this person, who must have agreed to it (`wx.requestSubscribeMessage`).
   * @param {{ template_id: string, data: object, page?: string, miniprogram_state?: string }} message
   */
  subscribeMessage(message) {
    return this.request('POST', '/api/wx/subscribe', message)
  }

  /** Whether the Worker is there. Needs no session. */
  health() {
    return this._json('GET', '/api/health', undefined, '')
  }

  /** Any other request with the session. */
  request(method, path, data) {
    return this._withSession(session => this._json(method, path, data, session))
  }

  /** One request and its JSON. */
  async _json(method, path, data, session) {
    const { status, body, retryAfter } = await exchange({
      url: this.baseUrl + path,
      method,
      data,
      header: headers(session, 'application/json'),
    }).end
    if (status !== 200) throw refusal(status, body, retryAfter)
    return body
  }
}

/** One question on its way to its answer, over as many connections as that takes. */
class Turn {
  constructor(api, question, connect) {
    this.api = api
    this.question = question
    this.connect = connect
    this.conversationId = question.conversationId || null
    this.text = ''
    this.lastEventId = ''
    this.pending = !question.message
    this.begun = false
    this.stopped = false
    this.abort = () => {}
    const stop = new Promise(resolve => {
      this.stop = () => {
        this.stopped = true
        this.abort()
        resolve(this.result(this.text, null))
      }
    })
    this.task = { answer: Promise.race([this.run(), stop]), stop: () => this.stop() }
  }

  async run() {
    const { message } = this.question
    if (message !== undefined && (!message || message.length > MAX_MESSAGE)) throw refusal(400, { error: 'Invalid message' })
    const end = Date.now() + PATIENCE
    let failures = 0
    let looks = 0
    this.tell('waiting')
    for (;;) {
      const start = Date.now()
      this.heard = false
      this.progress = false
      const outcome = await this.attempt()
      if (this.stopped || outcome.answer) return outcome.answer
      if (this.progress || (this.heard && Date.now() - start > GOOD)) failures = 0
      if (Date.now() > end) throw outcome.error || broken()
      if (outcome.pending) {
        await this.pause(POLLS[Math.min(looks++, POLLS.length - 1)])
      } else {
        // Who is not connected at all is told so, unless something has come already.
        if (failures === RETRIES.length || (surroundings().offline && !this.lastEventId)) throw outcome.error
        this.tell('resuming')
        await this.pause(RETRIES[failures++])
      }
    }
  }

  /** One connection: `{answer}`, `{pending}`, or `{error}` if it broke. What the Worker refuses is thrown. */
  async attempt() {
    try {
      return await this.api._withSession(session => (this.stopped ? {} : this.connect(this, session)))
    } catch (error) {
      if (error.status !== 0) throw error
      return { error }
    }
  }

  pause(milliseconds) {
    const pause = surroundings().pause(milliseconds)
    this.abort = pause.end
    return pause.promise
  }

  /** What one connection asks for: the answer to the question, or the rest of it. */
  get resuming() {
    return this.pending || (this.lastEventId !== '' && this.conversationId !== null)
  }

  /** Takes an event of the stream; the outcome, once there is one. */
  take(event, id) {
    this.heard = true
    if (event.type !== 'begin') this.progress = true
    if (event.conversation_id) this.begin(event.conversation_id)
    if (id && event.type !== 'begin') this.lastEventId = id
    if (event.type === 'delta') this.show(this.text + event.delta)
    if (event.type === 'replace') this.show(event.text)
    if (event.type === 'error') throw refusal(event.status || 500, event, event.retry_after)
    return event.type === 'done' ? this.finish(event) : undefined
  }

  /** Takes an answer in one piece. */
  takeJson({ status, body, retryAfter }) {
    if (status !== 200 && status !== 202) throw refusal(status, body, retryAfter)
    this.progress = true
    this.begin(body.conversation_id)
    if (status === 200) return this.finish(body)
    this.pending = true
    return { pending: true }
  }

  begin(conversationId) {
    if (this.stopped || this.begun) return
    this.begun = true
    this.conversationId = conversationId
    if (this.question.onBegin) this.question.onBegin(conversationId)
  }

  finish({ reply, tokens_used }) {
    if (reply !== this.text) this.show(reply)
    return { answer: this.result(reply, tokens_used) }
  }

  show(text) {
    if (this.stopped) return
    this.text = text
    this.tell('writing')
    if (this.question.onText) this.question.onText(text)
  }

  tell(state) {
    if (this.stopped || this.state === state) return
    this.state = state
    if (this.question.onState) this.question.onState(state)
  }

  result(reply, tokensUsed) {
    const conversationId = this.conversationId === 'new' ? null : this.conversationId
    return { reply, conversationId, tokensUsed, stopped: this.stopped }
  }
}

/** A connection by `wx.request`, streamed where the phone can. */
function byRequest(turn, session) {
  const { api, question, conversationId } = turn
  const accept = api.streaming ? 'text/event-stream' : 'application/json'
  const header = headers(session, accept)
  let path = '/api/chat'
  let data
  if (turn.resuming) {
    path += `/${encodeURIComponent(conversationId)}`
    if (turn.lastEventId) header['last-event-id'] = turn.lastEventId
  } else {
    data = { message: question.message, conversation_id: conversationId, message_id: question.messageId }
  }
  const parser = new EventParser()
  let outcome
  const request = exchange({
    url: api.baseUrl + path,
    method: data ? 'POST' : 'GET',
    data,
    header,
    onText: api.streaming && (text => {
      for (const { id, data } of parser.push(text)) outcome = outcome || turn.take(JSON.parse(data), id)
      return outcome !== undefined
    }),
  })
  turn.abort = request.abort
  return request.end.then(response => outcome || (response.body === undefined ? { error: broken() } : turn.takeJson(response)))
}

/** A connection by `wx.connectSocket`. */
async function bySocket(turn, session) {
  const { api, question, conversationId } = turn
  const wanted = turn.resuming
    ? { type: 'resume', conversation_id: conversationId, last_event_id: turn.lastEventId }
    : { type: 'chat', message: question.message, conversation_id: conversationId, message_id: question.messageId }
  let opened = false
  let over = false
  const outcome = await new Promise((resolve, reject) => {
    const socket = wx.connectSocket({
      url: `${api.baseUrl.replace(/^http/, 'ws')}/api/chat/ws`,
      header: { 'x-wx-session': session },
      timeout: TIMEOUT,
      fail: () => end({ error: broken() }),
    })
    const watch = watchdog(() => end({ error: broken() }))
    const ping = setInterval(() => opened && socket.send({ data: 'ping' }), SILENCE / 2)
    const end = (outcome, error) => {
      if (over) return
      over = true
      watch.end()
      clearInterval(ping)
      socket.close({})
      error ? reject(error) : resolve(outcome)
    }
    turn.abort = () => end({})
    socket.onOpen(() => {
      opened = true
      socket.send({ data: JSON.stringify(wanted) })
    })
    socket.onMessage(({ data }) => {
      watch.feed()
      if (data === 'pong' || over) return
      try {
        const event = JSON.parse(data)
        const outcome = turn.take(event, event.id)
        if (outcome) end(outcome)
      } catch (error) {
        end(undefined, error.status === undefined ? broken() : error)
      }
    })
    socket.onError(() => end({ error: broken() }))
    socket.onClose(({ code }) => (code === 4401 ? end(undefined, refusal(401)) : end({ error: broken() })))
  })
  // WeChat does not tell why a socket did not open; a session that has ended may be why, and a request can tell.
  if (!opened && !turn.stopped) await api._json('GET', '/api/conversations?limit=1', undefined, session)
  return outcome
}

/**
 * One `wx.request`. `end` resolves with `{status, body, retryAfter}` and rejects with status 0 without a connection.
 * With `onText` it is a stream: the text is handed on as it comes, until that returns true; `body` is undefined then,
 * unless the answer was no stream but JSON.
 * @param {{ url: string, method: string, header: object, data?: object, onText?: false | ((text: string) => boolean) }} options
 */
function exchange({ url, method, header, data, onText }) {
  let abort = () => {}
  const end = new Promise((resolve, reject) => {
    const decoder = new Utf8Decoder()
    let over = false
    let status = 0
    let received = false
    let json = ''
    const settle = (how, value) => {
      if (over) return
      over = true
      watch.end()
      how(value)
    }
    const feed = text => {
      if (over || text === '') return
      watch.feed()
      // A stream has fields and comments; a refusal is an object.
      if (json || (!received && /^\s*\{/.test(text))) json += text
      received = true
      try {
        if (!json && onText && onText(text)) settle(resolve, { status: 200 })
      } catch (error) {
        settle(reject, error.status === undefined ? broken() : error)
        task.abort()
      }
    }
    const finish = ({ statusCode, header, data }) => {
      // Some computers give the whole stream at its end, and 3.3 on macOS gives no status then.
      if (onText && !received && data) feed(typeof data === 'object' && data.byteLength !== undefined ? decoder.push(data) : data)
      const body = onText ? parse(json) : data
      settle(resolve, { status: statusCode || status || guess(body), body, retryAfter: retryAfter(header) })
    }
    const watch = onText ? watchdog(() => { settle(reject, broken()); task.abort() }) : { feed() {}, end() {} }
    const task = wx.request({
      url,
      method,
      header,
      data,
      timeout: TIMEOUT,
      enableChunked: !!onText,
      dataType: onText ? 'text' : 'json',
      success: finish,
      fail: () => settle(reject, broken()),
    })
    abort = () => {
      settle(reject, broken())
      task.abort()
    }
    if (!onText) return
    task.onHeadersReceived(headers => { status = headers.statusCode || 0 })
    task.onChunkReceived(({ data }) => feed(decoder.push(data)))
  })
  return { end, abort }
}

function headers(session, accept) {
  const header = { 'content-type': 'application/json', accept }
  if (session) header['x-wx-session'] = session
  return header
}

function parse(json) {
  try {
    return json ? JSON.parse(json) : undefined
  } catch (error) {
    return undefined
  }
}

/** The status that goes with such a body, where WeChat does not give it. */
function guess(body) {
  if (!body) return 0
  if (body.error === 'Invalid session') return 401
  if (body.error) return 500
  return body.status === 'pending' ? 202 : 200
}

/** Seconds. Names of headers come as the server or the phone likes to write them. */
function retryAfter(header) {
  const name = Object.keys(header || {}).find(name => name.toLowerCase() === 'retry-after')
  return name ? Number(header[name]) || undefined : undefined
}

/** Calls `bark` when it was not fed for too long. */
function watchdog(bark) {
  let timer = setTimeout(bark, SILENCE)
  return {
    feed() {
      clearTimeout(timer)
      timer = setTimeout(bark, SILENCE)
    },
    end() {
      clearTimeout(timer)
    },
  }
}

/** @returns {Error & WxApiError} */
function refusal(status, body, retryAfter) {
  const error = new Error((body && body.error) || `status ${status}`)
  return Object.assign(error, { status, retryAfter })
}

/** There is no connection, or not any more. */
const broken = () => refusal(0, { error: 'no connection' })

function wxLogin() {
  return new Promise((resolve, reject) => {
    wx.login({
      timeout: 10000,
      success: ({ code }) => (code ? resolve(code) : reject(broken())),
      fail: () => reject(broken()),
    })
  })
}

/** A name for a question that no other one has. */
function newMessageId() {
  const random = () => Math.random().toString(36).slice(2, 12)
  return `${Date.now().toString(36)}-${random()}${random()}`
}

let known

/**
 * Whether the app is in front and connected. In the background WeChat ends every request after 5 s and begins none, so a
 * pause lasts until it is in front again; and it ends early when the network comes back.
 */
function surroundings() {
  if (known) return known
  let hidden = false
  const pauses = new Set()
  known = {
    offline: false,
    pause(milliseconds) {
      let end
      const promise = new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
        const pause = { due: false, end: () => { pauses.delete(pause); clearTimeout(timer); resolve() } }
        const timer = setTimeout(() => {
          pause.due = true
          if (!hidden) pause.end()
        }, milliseconds)
        pauses.add(pause)
        end = pause.end
      })
      return { promise, end }
    },
  }
  const wake = () => Array.from(pauses).forEach(pause => pause.end())
  wx.onAppHide(() => { hidden = true })
  wx.onAppShow(() => {
    hidden = false
    wake()
  })
  wx.getNetworkType({ success: ({ networkType }) => { known.offline = networkType === 'none' } })
  wx.onNetworkStatusChange(({ isConnected }) => {
    known.offline = !isConnected
    if (isConnected && !hidden) wake()
  })
  return known
}

/** UTF-8 that comes in pieces: many phones have no TextDecoder. What is no UTF-8 becomes U+FFFD, as there. */
class Utf8Decoder {
  constructor() {
    this.point = 0
    this.missing = 0
    this.lowest = 0x80
    this.highest = 0xbf
  }

  /**
   * @param {ArrayBuffer} buffer
   * @returns {string}  the characters that are complete
   */
  push(buffer) {
    const bytes = new Uint8Array(buffer)
    let text = ''
    for (let n = 0; n < bytes.length; n++) {
      const byte = bytes[n]
      if (this.missing === 0) {
        text += this.first(byte)
      } else if (byte < this.lowest || byte > this.highest) {
        this.missing = 0
        this.lowest = 0x80
        this.highest = 0xbf
        text += '\ufffd' + this.first(byte)
      } else {
        this.lowest = 0x80
        this.highest = 0xbf
        this.point = (this.point << 6) | (byte & 0x3f)
        if (--this.missing === 0) text += String.fromCodePoint(this.point)
      }
    }
    return text
  }

  /** Begins a character. Its second byte may not be just any: no overlong forms, surrogates, or over U+10FFFF. */
  first(byte) {
    if (byte < 0x80) return String.fromCharCode(byte)
    if (byte < 0xc2 || byte > 0xf4) return '\ufffd'
    this.missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    this.point = byte & (0x3f >> this.missing)
    if (byte === 0xe0) this.lowest = 0xa0
    if (byte === 0xed) this.highest = 0x9f
    if (byte === 0xf0) this.lowest = 0x90
    if (byte === 0xf4) this.highest = 0x8f
    return ''
  }
}

/** Server-sent events that come in pieces. <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream> */
class EventParser {
  constructor() {
    this.rest = ''
    this.fresh()
  }

  fresh() {
    this.event = { id: '', type: '', data: '' }
  }

  /**
   * @param {string} text
   * @returns {{ id: string, type: string, data: string }[]}  the events that are complete
   */
  push(text) {
    const events = []
    this.rest += text
    for (;;) {
      const line = /^([^\r\n]*)(\r\n|\n|\r(?=[^]))/.exec(this.rest)
      if (!line) return events
      this.rest = this.rest.slice(line[0].length)
      if (line[1] !== '') {
        this.field(line[1])
      } else {
        if (this.event.data !== '') events.push({ ...this.event, data: this.event.data.slice(0, -1) })
        this.fresh()
      }
    }
  }

  field(line) {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'id') this.event.id = value
    if (name === 'event') this.event.type = value
    if (name === 'data') this.event.data += value + '\n'
  }
}

module.exports = { WxApi, newMessageId, Utf8Decoder, EventParser, MAX_MESSAGE }
