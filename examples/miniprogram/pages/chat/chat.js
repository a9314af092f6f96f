const config = require('../../config.js')
const { newMessageId, MAX_MESSAGE } = require('../../utils/wxapi.js')
const { t, fill } = require('../../utils/strings.js')
const { toast, explain, current, unsent } = require('../../utils/ui.js')

/** Milliseconds between two pictures of a growing answer: each takes the whole text over WeChat's bridge. */
const FRAME = 60

Page({
  data: {
    t,
    maxLength: MAX_MESSAGE,
    /**
     * `{key, role, text, state}`: an answer is `waiting`, `writing`, `resuming`, `done`, `stopped` or `failed` (then with
     * `error`, `retryable`, and the seconds `retryIn`); what the person said has no state.
     */
    messages: [],
    draft: '',
    canSend: false,
    busy: false,
    loading: false,
    loadFailed: false,
    keyboard: 0,
    scrollTop: 0,
    jump: false,
  },

  onLoad(query) {
    wx.setNavigationBarTitle({ title: t.title })
    this.api = getApp().api
    /** null, `'new'`, or the id of the conversation that is on the screen. */
    this.conversation = null
    this.task = null
    /** Whether the newest text is kept in sight. */
    this.following = true
    this.touching = false
    this.lastTop = 0
    const id = query.conversation || current.get()
    if (query.fresh) this.conversation = 'new'
    else if (id) this.open(id)
    else this.showUnsent()
  },

  onShow() {
    // The page "history" may have deleted what is on the screen.
    if (this.conversation && this.conversation !== 'new' && current.get() !== this.conversation) this.newConversation()
  },

  onUnload() {
    this.leave()
  },

  onShareAppMessage() {
    return { title: t.title, path: '/pages/chat/chat' }
  },

  // ---- conversations

  async open(id) {
    this.conversation = id
    current.set(id)
    this.setData({ loading: true, loadFailed: false })
    try {
      const { messages, status } = await this.api.conversation(id)
      if (this.conversation !== id) return
      this.setData({ loading: false, messages: messages.map(({ role, content }, n) => shown(`${id}-${n}`, role, content)) })
      this.toEnd()
      const asked = messages.length > 0 && messages[messages.length - 1].role === 'user'
      if (asked && status === 'pending') this.watch()
      else if (asked && status === 'failed') this.showUnanswered()
      else this.showUnsent()
    } catch (error) {
      if (this.conversation !== id) return
      if (error.status === 404) return this.newConversation()
      this.setData({ loading: false, loadFailed: true })
    }
  },

  reload() {
    this.open(this.conversation)
  },

  newConversation() {
    this.leave()
    this.conversation = 'new'
    current.clear()
    unsent.clear()
    this.following = true
    this.setData({ messages: [], busy: false, loading: false, loadFailed: false, jump: false })
  },

  openHistory() {
    wx.navigateTo({ url: '/pages/history/history' })
  },

  openMe() {
    wx.navigateTo({ url: '/pages/me/me' })
  },

  /** Nobody looks at the answer any more. The Worker keeps it. */
  leave() {
    if (this.task) this.task.stop()
    this.task = null
    clearInterval(this.countdown)
    clearTimeout(this.frame)
    this.frame = null
  },

  // ---- questions

  onInput({ detail }) {
    this.setData({ draft: detail.value, canSend: detail.value.trim() !== '' })
  },

  send() {
    const text = this.data.draft.trim()
    if (!text || this.data.busy || this.data.loading) return
    this.setData({ draft: '', canSend: false })
    this.ask(text)
  },

  askExample({ currentTarget }) {
    if (!this.data.busy) this.ask(currentTarget.dataset.text)
  },

  ask(text) {
    const id = newMessageId()
    unsent.set({ text, id, conversation: this.conversation })
    this.following = true
    this.append(shown(`${id}-q`, 'user', text), { ...shown(`${id}-a`, 'assistant', ''), state: 'waiting', id })
    this.answer(text, id)
  },

  /** Asks the model, or, under an id that it had before, gets what became of that question. */
  answer(text, id) {
    const chat = config.socket ? 'chatBySocket' : 'chat'
    this.follow(listeners => this.api[chat]({
      message: text,
      messageId: id,
      conversationId: this.conversation,
      onBegin: conversation => {
        this.conversation = conversation
        current.set(conversation)
        unsent.clear()
      },
      ...listeners,
    }))
  },

  /** An answer is being written already. */
  watch() {
    this.append({ ...shown(`${this.conversation}-a`, 'assistant', ''), state: 'waiting' })
    this.resume()
  },

  resume() {
    this.follow(listeners => this.api.resume({ conversationId: this.conversation, ...listeners }))
  },

  append(...messages) {
    this.setData({ messages: this.data.messages.concat(messages) })
  },

  /** Shows what a task brings in the last message. */
  async follow(begin) {
    const index = this.data.messages.length - 1
    const set = fields => {
      const named = {}
      Object.keys(fields).forEach(name => { named[`messages[${index}].${name}`] = fields[name] })
      this.setData(named)
    }
    let newest = ''
    const draw = () => {
      this.frame = null
      set({ text: newest, state: 'writing' })
      this.keepUp()
    }
    const task = begin({
      onText: text => {
        newest = text
        if (!this.frame) this.frame = setTimeout(draw, FRAME)
      },
      onState: state => {
        if (state !== 'writing') set({ state })
      },
    })
    this.task = task
    this.setData({ busy: true, jump: false })
    this.keepUp()
    let outcome
    try {
      const { reply, stopped } = await task.answer
      outcome = { text: reply, state: stopped ? 'stopped' : 'done' }
    } catch (error) {
      if (this.task === task) outcome = { text: newest, state: 'failed', ...this.trouble(error, newest) }
    }
    // Something else is on the screen by now.
    if (this.task !== task) return
    clearTimeout(this.frame)
    this.frame = null
    this.task = null
    set(outcome)
    this.setData({ busy: false })
    this.keepUp()
    if (outcome.retryable) this.remember(index)
    if (outcome.retryIn) this.countDown(index)
  },

  stop() {
    if (!this.task) return
    unsent.clear()
    this.task.stop()
  },

  // ---- what goes wrong

  /** What to say about it, and whether and when it can be tried again. */
  trouble(error, text) {
    const { status, retryAfter } = error
    if (status === 400) unsent.clear()
    if (status === 400) return { error: t.tooLong, retryable: false, retryIn: 0 }
    if (status === 404) {
      this.conversation = 'new'
      current.clear()
      return { error: t.gone, retryable: true, retryIn: 0 }
    }
    if (status === 0) return { error: text ? t.lost : t.offline, retryable: true, retryIn: 0 }
    const retryIn = status === 429 ? retryAfter || 0 : 0
    const trouble = { error: explain(error), retryable: true, retryIn, retryText: fill(t.retryIn, { n: retryIn }) }
    return status === 500 ? { ...trouble, error: t.noAnswer } : trouble
  },

  /** So that it can be asked again under its name, also after the app was closed. */
  remember(index) {
    const { id } = this.data.messages[index]
    if (id) unsent.set({ text: this.data.messages[index - 1].text, id, conversation: this.conversation })
  },

  /** An earlier question that nobody answered. */
  showUnanswered() {
    const { text } = this.data.messages[this.data.messages.length - 1]
    const question = unsent.get()
    const same = question && question.conversation === this.conversation && question.text === text
    const id = same ? question.id : newMessageId()
    const trouble = { error: t.noAnswer, retryable: true, retryIn: 0 }
    this.append({ ...shown(`${this.conversation}-a`, 'assistant', ''), state: 'failed', id, ...trouble })
    this.toEnd()
  },

  /** A question that could not be sent when the app was open before. */
  showUnsent() {
    const question = unsent.get()
    if (!question) return
    const { text, id, conversation } = question
    const elsewhere = conversation && conversation !== 'new'
    if (elsewhere ? this.conversation !== conversation : this.conversation) return
    this.conversation = conversation
    // It did arrive; only the word of it did not.
    if (this.data.messages.some(message => message.role === 'user' && message.text === text)) return unsent.clear()
    const trouble = { error: t.offline, retryable: true, retryIn: 0 }
    this.append(shown(`${id}-q`, 'user', text), { ...shown(`${id}-a`, 'assistant', ''), state: 'failed', id, ...trouble })
    this.toEnd()
  },

  countDown(index) {
    clearInterval(this.countdown)
    this.countdown = setInterval(() => {
      const message = this.data.messages[index]
      const retryIn = message && message.retryIn ? message.retryIn - 1 : 0
      if (!retryIn) clearInterval(this.countdown)
      if (!message) return
      this.setData({ [`messages[${index}].retryIn`]: retryIn, [`messages[${index}].retryText`]: fill(t.retryIn, { n: retryIn }) })
    }, 1000)
  },

  /** The same question once more, under the same id: the model is asked only if it was not before. */
  retry({ currentTarget }) {
    const { index } = currentTarget.dataset
    const { messages, busy } = this.data
    const failed = messages[index]
    const question = messages[index - 1]
    if (busy || !failed || failed.state !== 'failed' || !question) return
    // Whatever was said since then stays; this question goes to the end.
    const others = messages.filter(message => message !== failed && message !== question)
    const again = { ...failed, text: '', state: 'waiting', error: '', retryable: false, retryIn: 0 }
    clearInterval(this.countdown)
    this.following = true
    this.setData({ messages: others.concat(question, again) })
    if (failed.id) this.answer(question.text, failed.id)
    else this.resume()
  },

  // ---- the screen

  copy({ currentTarget }) {
    const { text } = this.data.messages[currentTarget.dataset.index]
    wx.showActionSheet({
      itemList: [t.copy],
      success: () => wx.setClipboardData({ data: text, success: () => toast(t.copied) }),
      fail: () => {},
    })
  },

  onKeyboard({ detail }) {
    this.setData({ keyboard: detail.height })
    this.keepUp()
  },

  /** It stays open while one sends, so a tap beside it has to close it. */
  hideKeyboard() {
    if (this.data.keyboard) wx.hideKeyboard({ fail: () => {} })
  },

  onTouch() {
    this.touching = true
  },

  onRelease() {
    this.touching = false
  },

  onScroll({ detail }) {
    // Only a finger moves the text down; new text moves it up.
    if (this.touching && detail.scrollTop < this.lastTop - 2 && this.following) {
      this.following = false
      this.setData({ jump: true })
    }
    this.lastTop = detail.scrollTop
  },

  onEnd() {
    this.following = true
    if (this.data.jump) this.setData({ jump: false })
  },

  toEnd() {
    this.following = true
    this.setData({ jump: false })
    this.keepUp()
  },

  keepUp() {
    // Farther than the end is the end; and it must be another number each time.
    if (this.following) this.setData({ scrollTop: this.data.scrollTop === 1000000 ? 1000001 : 1000000 })
  },
})

const shown = (key, role, text) => ({ key, role, text, state: 'done' })
