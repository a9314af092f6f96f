const { t, fill } = require('../../utils/strings.js')
const { toast, confirm, explain, current } = require('../../utils/ui.js')

Page({
  data: {
    t,
    /** `{id, title, when, status, note}` */
    conversations: [],
    loading: false,
    failed: false,
  },

  onLoad() {
    wx.setNavigationBarTitle({ title: t.historyTitle })
    this.api = getApp().api
    this.next = ''
    this.refresh()
  },

  async onPullDownRefresh() {
    await this.refresh()
    wx.stopPullDownRefresh()
  },

  onReachBottom() {
    if (this.next && !this.data.loading) return this.load(this.next)
  },

  refresh() {
    return this.load('')
  },

  async load(after) {
    this.setData({ loading: true, failed: false })
    try {
      const { conversations, next } = await this.api.conversations({ after })
      this.next = next || ''
      const before = after ? this.data.conversations : []
      this.setData({ loading: false, conversations: before.concat(conversations.map(shown)) })
    } catch (error) {
      this.setData({ loading: false, failed: true })
    }
  },

  open({ currentTarget }) {
    wx.reLaunch({ url: `/pages/chat/chat?conversation=${currentTarget.dataset.id}` })
  },

  newConversation() {
    current.clear()
    wx.reLaunch({ url: '/pages/chat/chat?fresh=1' })
  },

  async remove({ currentTarget }) {
    const { id, title } = currentTarget.dataset
    if (!(await confirm(fill(t.removeThis, { n: title })))) return
    await this.try(async () => {
      await this.api.deleteConversation(id).catch(unlessGone)
      if (current.get() === id) current.clear()
      this.setData({ conversations: this.data.conversations.filter(conversation => conversation.id !== id) })
    })
  },

  async clear() {
    if (!(await confirm(t.clear, t.clearAll))) return
    await this.try(async () => {
      await this.api.deleteConversations()
      current.clear()
      this.next = ''
      this.setData({ conversations: [] })
    })
  },

  async try(work) {
    try {
      await work()
      toast(t.removed)
    } catch (error) {
      toast(explain(error))
    }
  },
})

const unlessGone = error => {
  if (error.status !== 404) throw error
}

const shown = ({ id, title, updated_at: at, status }) => ({
  id,
  title: title || t.untitled,
  when: when(new Date(at)),
  status,
  note: { pending: t.pending, failed: t.failedOne }[status] || '',
})

/** The time if it was today, else the day. */
function when(date) {
  const two = number => `${number}`.padStart(2, '0')
  if (date.toDateString() === new Date().toDateString()) return `${two(date.getHours())}:${two(date.getMinutes())}`
  return fill(t.date, { m: date.getMonth() + 1, d: date.getDate() })
}
