"""Chinese surnames and syllables in Latin letters."""

import re

PINYIN_SURNAMES = frozenset(
    ["ai", "an", "bai", "bao", "bi", "bian", "cai", "cao", "cen", "chai", "chang", "chen", "cheng", "chi", "chu", "cui", "dai", "deng", "ding", "dong", "dou", "du", "duan", "fan", "fang", "fei", "feng", "fu", "gan", "gao", "ge", "geng", "gong", "gou", "gu", "guan", "guo", "hai", "han", "hao", "he", "hong", "hou", "hu", "hua", "huang", "huo", "ji", "jia", "jian", "jiang", "jiao", "jin", "jing", "ju", "kang", "ke", "kong", "kuang", "lai", "lan", "lang", "lei", "leng", "li", "lian", "liang", "liao", "lin", "ling", "liu", "long", "lou", "lu", "luan", "luo", "lv", "ma", "mao", "mei", "meng", "mi", "miao", "min", "mo", "mou", "mu", "ni", "nie", "niu", "ou", "pan", "pang", "pei", "peng", "pi", "pu", "qi", "qian", "qiao", "qin", "qiu", "qu", "quan", "ran", "rao", "ren", "rong", "ruan", "rui", "sang", "sha", "shan", "shang", "shao", "shen", "sheng", "shi", "shu", "si", "song", "su", "sui", "sun", "tan", "tang", "tao", "teng", "tian", "tong", "tu", "wan", "wang", "wei", "wen", "weng", "wu", "xi", "xia", "xian", "xiang", "xiao", "xie", "xin", "xing", "xiong", "xu", "xuan", "xue", "yan", "yang", "yao", "ye", "yi", "yin", "ying", "you", "yu", "yuan", "yue", "yun", "zang", "zeng", "zha", "zhai", "zhan", "zhang", "zhao", "zhen", "zheng", "zhong", "zhou", "zhu", "zhuang", "zhuo", "zong", "zou", "zu", "zuo", "ouyang", "sima", "shangguan", "zhuge", "situ"]
)
_SYLLABLE = (
    "(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])"
    "(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|uo|ue|ui|a|o|e|i|u|v)"
)
#: The second may begin with a vowel.
TWO_SYLLABLES = re.compile(rf"{_SYLLABLE}(?:{_SYLLABLE}|ai|an|en|er|ou|ang|ao)\Z")
