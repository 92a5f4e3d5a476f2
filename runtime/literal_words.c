/*
 * How seldom a text is met in mail: by its octets, and by the words that are
 * common there, of which texts of three and four octets are kept.
 */
#include <pthread.h>

#include "runtime/literal.h"

enum {
	SLOTS = 1 << 14,
	SCALE = 30,   /* 2^SCALE stands for a probability of 1 */
	FIRST = 22,   /* the commonest words: 2^(FIRST - SCALE) */
	KNOWN = 6,    /* what an octet tells that is often there */
	ENOUGH = 400, /* more is of no use */
};

/*
 * Tenths of bits for the octets 0x20 to 0x3f and 0x60 to 0x7f of folded text;
 * of English mail with its header.  CR and LF fold to `-` and `*`.
 */
static const uint8_t rarity[64] = {
	25, 75, 75, 80, 80, 80, 80, 70, 75, 75, 55, 75, 65, 50, 50, 65, /* 20 */
	55, 55, 55, 58, 58, 58, 60, 60, 60, 60, 60, 75, 70, 60, 70, 75, /* 30 */
	75, 38, 62, 50, 48, 32, 57, 58, 46, 39, 90, 70, 48, 53, 40, 39, /* 60 */
	56, 95, 41, 41, 36, 52, 68, 60, 80, 60, 92, 80, 85, 80, 80, 80, /* 70 */
};

/*
 * Words, each row about half as common as the one before: of English, of
 * mail as it is written and as it is sold, of header fields, links and HTML.
 */
static const char *const words[] = {
	"the to and of a in is for you",
	"that on with this are be it your we i as from at by or have not "
	"com www http https",
	"will can our if an all has was please more new but they me my us any "
	"their which would about one what been there here so do out no up "
	"when who time mail email get how other may html href nbsp net org",
	"were he his she her its them these those than then only some could "
	"should also into over after just now like make use see know need "
	"want people day year work first two way because very much where even "
	"most back through before between well good take down own such same "
	"send sent message contact information free business company order "
	"price account service customer thanks thank regards best dear hello "
	"click link online offer today help team date subject received reply "
	"address name number phone view page site web content text style "
	"width height font color size align table image images class span "
	"border padding margin style gif jpg png src alt left right center",
	"money payment invoice pay paid bank credit card cash buy sale sales "
	"save off deal deals discount special limited great find look come "
	"think give going still many every each both while during without "
	"under again another last next week month days hours years long high "
	"part place made using used based available include included "
	"including following attached attachment document documents file "
	"files report update updated status review change changes question "
	"questions request required access user users password login secure "
	"security verify confirm confirmation notice notification alert "
	"urgent important meeting project schedule call office manager "
	"support product products shipping delivery ship package tracking "
	"items item total amount rate value market marketing newsletter "
	"subscribe unsubscribe privacy policy terms conditions rights "
	"reserved copyright inc ltd group list read write add original "
	"forwarded wrote monday tuesday wednesday thursday friday saturday "
	"sunday january february march april may june july august september "
	"october november december background-color arial helvetica verdana "
	"sans-serif body head title strong target blank cellpadding "
	"cellspacing bgcolor valign",
	"able above according across action active actually add additional "
	"advice against age ago agree agreement air almost along already "
	"always american among analysis anyone anything application apply "
	"area around article ask asked attention authority away bad balance "
	"beautiful become benefit benefits better big bill book box brand "
	"bring building car care case center central certain chance charge "
	"check child children choose city claim class clear clients close "
	"code collection comments common community complete computer "
	"concerns condition connect continue control copy cost country "
	"course cover create credit currently daily data deliver department "
	"design details develop development different direct director "
	"discuss download due early easy education effective email energy "
	"enjoy enter entire equipment event events exclusive existing "
	"expect experience family fast features federal feel few field final "
	"finance financial form found friend friends full fund funds future "
	"game general getting gift global government guarantee half hand "
	"happy hard having head health hear hope hotel house however human "
	"idea immediately improve income increase industry insurance "
	"interest international internet investment issue issues job keep "
	"kind known large law lead learn least leave legal less let level "
	"life line little live loan local location lose loss lot love low "
	"lower main major making management matter mean media medical "
	"members might mind minutes mobile model moment morning move music "
	"national network never news night nothing notes offers offered "
	"official once open opportunity option options page party past "
	"performance perhaps period person personal plan plans please point "
	"position possible power present president press prices private "
	"problem problems process production professional program programs "
	"property provide provided public purchase put quality quick quote "
	"rather reach ready real really reason receive recent recently "
	"recipient record refund regarding register registration related "
	"release remember remove resources response result results return "
	"risk room run safe said sample say school search season section "
	"select sender series server services set several share short show "
	"side sign simple simply since single small software solution "
	"something soon source staff standard start state statement states "
	"step stock stop store story street student students study success "
	"suggest summer system systems taken talk tax technical technology "
	"tell test things though thought three together top trade training "
	"transfer travel true try turn type understand unit united until "
	"upon usually version via video visit wait watch water website "
	"weekly welcome whether whole why win winner within women words "
	"world worth yes yesterday young yourself",
};

struct gram {
	uint32_t text; /* of three octets: the last is 0 */
	uint32_t weight;
};

static struct gram grams[SLOTS];

static uint32_t
gram_of(const uint8_t *text, size_t n)
{
	uint32_t gram = 0;

	memcpy(&gram, text, n);
	return gram;
}

/* Its slot, or the empty one where it belongs. */
static struct gram *
gram_slot(uint32_t text)
{
	uint32_t i = (text * 0x9e3779b1u) % SLOTS;

	while (grams[i].weight && grams[i].text != text)
		i = (i + 1) % SLOTS;
	return &grams[i];
}

static void
add_gram(const uint8_t *text, size_t n, uint32_t weight)
{
	struct gram *g = gram_slot(gram_of(text, n));

	g->text = gram_of(text, n);
	g->weight += weight;
}

/* A word between blanks. */
static void
add_word(const char *word, size_t n, uint32_t weight)
{
	uint8_t text[32] = { ' ' };

	memcpy(text + 1, word, n);
	text[n + 1] = ' ';
	for (size_t k = 3; k <= 4; k++)
		for (size_t i = 0; i + k <= n + 2; i++)
			add_gram(text + i, k, weight);
}

static void
add_words(void)
{
	for (size_t row = 0; row < sizeof(words) / sizeof(*words); row++)
		for (const char *w = words[row]; *w; w += *w == ' ') {
			size_t n = strcspn(w, " ");

			add_word(w, n, UINT32_C(1) << (FIRST - row));
			w += n;
		}
}

/* What a text of three or four octets tells; UINT32_MAX: it is in no word. */
static unsigned
known_rarity(const uint8_t *text, size_t n)
{
	const struct gram *g = gram_slot(gram_of(text, n));
	unsigned bits;

	if (!g->weight)
		return UINT32_MAX;
	bits = 31 - (unsigned)__builtin_clz(g->weight);
	return (SCALE - bits) * 10;
}

static unsigned
octet_rarity(uint8_t c)
{
	return c & 0x80 ? 70 : rarity[(c & 0x1f) | (c & 0x40) >> 1];
}

static unsigned
octets_rarity(const uint8_t *text, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += octet_rarity(text[i]);
	return sum;
}

unsigned
literal_rarity(const uint8_t *text, size_t n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t first = n < 4 ? n : 4;
	unsigned sum = octets_rarity(text, first), known;

	if (n < 3)
		return sum;
	pthread_once(&once, add_words);
	known = known_rarity(text, first);
	sum = known < sum ? known : sum;
	for (size_t i = 1; i + 4 <= n && sum < ENOUGH; i++)
		sum += known_rarity(text + i, 4) == UINT32_MAX
			   ? octet_rarity(text[i + 3])
			   : KNOWN;
	return sum < ENOUGH ? sum : ENOUGH;
}
