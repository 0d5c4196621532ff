/* lib/list.h */
#include "lib/list.h"

#include "unit.h"

struct item {
    int value;
    struct list link;
};

static void check_order(struct list *head, const char *expected)
{
    char found[64] = "", backwards[64] = "";
    struct item *item;
    size_t count;

    list_for_each (item, head, link)
        found[strlen(found)] = '0' + item->value;
    assert_string_equal(found, expected);
    count = strlen(expected);
    for (struct list *link = head->previous; link != head; link = link->previous)
        backwards[--count] = '0' + list_entry(link, struct item, link)->value;
    assert_string_equal(backwards, expected);
}

static void fill(struct list *head, struct item *items, int first, int count)
{
    list_init(head);
    for (int i = 0; i < count; i++) {
        items[i].value = first + i;
        list_push_back(head, &items[i].link);
    }
}

static void test_push(void **state)
{
    struct list head = LIST_INITIALIZER(head);
    struct item a = {.value = 1}, b = {.value = 2}, c = {.value = 3};

    (void)state;
    assert_true(list_is_empty(&head));
    list_push_back(&head, &b.link);
    list_push_back(&head, &c.link);
    list_push_front(&head, &a.link);
    check_order(&head, "123");
    assert_ptr_equal(list_first(&head, struct item, link), &a);
    assert_ptr_equal(list_last(&head, struct item, link), &c);
    assert_ptr_equal(list_next(&a, link), &b);
}

static void test_remove(void **state)
{
    struct list head;
    struct item items[3];

    (void)state;
    fill(&head, items, 1, 3);
    list_remove(&items[1].link);
    check_order(&head, "13");
    assert_false(list_is_linked(&items[1].link));
    list_remove(&items[1].link); /* once more is harmless */
    check_order(&head, "13");
    assert_true(list_is_linked(&items[0].link));
}

static void test_pop(void **state)
{
    struct list head;
    struct item items[2];

    (void)state;
    fill(&head, items, 1, 2);
    assert_ptr_equal(list_pop_front(&head), &items[0].link);
    assert_ptr_equal(list_pop_front(&head), &items[1].link);
    assert_null(list_pop_front(&head));
    assert_true(list_is_empty(&head));
}

static void test_splice(void **state)
{
    struct list a, b;
    struct item first[3], second[2];

    (void)state;
    fill(&a, first, 1, 3);
    fill(&b, second, 4, 2);
    list_splice_back(&a, &b);
    check_order(&a, "12345");
    assert_true(list_is_empty(&b));
    list_splice_back(&a, &b);
    check_order(&a, "12345");
    list_splice_back(&b, &a);
    check_order(&b, "12345");
    assert_true(list_is_empty(&a));
}

static void test_remove_while_walking(void **state)
{
    struct list head;
    struct item items[5];
    struct item *item, *successor;

    (void)state;
    fill(&head, items, 1, 5);
    list_for_each_safe (item, successor, &head, link)
        if (item->value % 2)
            list_remove(&item->link);
    check_order(&head, "24");
}

int run_list_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_pop),
        cmocka_unit_test(test_splice),
        cmocka_unit_test(test_remove_while_walking),
    };

    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
