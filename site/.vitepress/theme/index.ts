/** The default theme, with the fonts of the system. */
import { useData } from 'vitepress'
import theme from 'vitepress/theme-without-fonts'
import { onMounted, watch } from 'vue'
import './style.css'

export default {
  extends: theme,
  /** Marks the content of the start page as such for screen readers. VitePress does so on all other pages. */
  setup() {
    const { frontmatter } = useData()
    const mark = (layout: unknown) => {
      const content = document.getElementById('VPContent')
      if (layout === 'home') content?.setAttribute('role', 'main')
      else content?.removeAttribute('role')
    }
    onMounted(() => watch(() => frontmatter.value.layout, mark, { immediate: true, flush: 'post' }))
  },
}
